"""At the hood: plan and scan vials, the blind second check, mixing, release."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.comparisons import DoseComparison, compare_prepared
from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.dosing import DoseDecision
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.events import Event, utc_text
from pharmacy_app.domain.findings import Finding, Severity
from pharmacy_app.domain.planning import (
    PASSED_OVER_REASONS,
    BeyondUse,
    Plan,
    Plans,
    UsableVial,
    beyond_use,
    end_of_infusion,
    passed_over,
    passed_over_finding,
    plan_vials,
    plan_with,
)
from pharmacy_app.domain.settings import StudySettings
from pharmacy_app.domain.tolerance import Budget, BudgetFacts, judged, tolerance_budget
from pharmacy_app.domain.units import KEPT, READABLE_ML, exceeds, show, show_ml
from pharmacy_app.domain.vials import Vial, in_date, move, why_not_usable
from pharmacy_app.services import views
from pharmacy_app.services.desk import (
    Act,
    Credentials,
    Desk,
    Draft,
    Moment,
    Signing,
    perform,
    protocol_of,
    site_of,
    today_of,
    zone_of,
)
from pharmacy_app.services.doses import decision_of, in_status, still_true, stops_since, thread_of
from pharmacy_app.services.exposures import MAY_BE_USED, alarms_read, logger_showed
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import find_vial
from pharmacy_app.services.stock import check_order
from pharmacy_app.services.study_settings import needed, settings_of

UNDER_WAY = ("planned", "verified", "prepared", "released")
"""Where a dose stands between its reserved vials and its administration: one at a time for a subject."""

BAG_LABELS = ("bag", "light cover")
"""The two labels of a bag: its own, and the one outside the cover that hides it (REGULATION L-18)."""

AGREEMENT = Decimal("0.005")
"""How far a second calculation may lie from the first, as a part of it (REGULATION D-12)."""


def proposals(desk: Desk, reader: Reader, dose_id: str) -> Plans:
    """The ways to make the dose up from what is usable on its day, best first, each with its tolerance judged."""
    thread = thread_of(reader, dose_id)
    in_status(thread, ("decided",), "be planned")
    settings = settings_of(reader)
    usable = _usable(reader, _days_of(thread, settings, desk.clock(), zone_of(site_of(reader))))
    protocol = protocol_of(site_of(reader), thread.line.planned_on)
    facts = budget_facts(thread, decision_of(thread))
    plans = plan_vials(thread.line.prescribed_mg, usable, settings)
    return replace(plans, plans=tuple(judged(plan, facts, settings, protocol)[0] for plan in plans.plans))


@dataclass(frozen=True, slots=True)
class _Days:
    """The day on which a dose is made up, and the one on which its infusion ends at the earliest."""

    first: date
    last: date


def _days_of(thread: views.DoseThread, settings: StudySettings, now: datetime, zone: ZoneInfo) -> _Days:
    planned_on = thread.line.planned_on
    first = max(planned_on, now.astimezone(zone).date())
    if settings.stability is None:
        return _Days(first, first)
    return _Days(first, max(first, end_of_infusion(now, planned_on, settings.stability.value, zone)))


def _usable(reader: Reader, days: _Days) -> list[UsableVial]:
    """The vials that may be taken for a dose: usable from its first day to the end of its infusion."""
    return [usable_vial(vial) for vial in reader.usable_vials(days.last)]


def _why_not(vial: Vial, days: _Days) -> Fault | None:
    """Why a vial may not be taken for a dose, or ``None`` (REGULATION A-21)."""
    fault = why_not_usable(vial, days.first)
    if fault is not None or in_date(vial.expires_on, days.last):
        return fault
    return Fault(
        "unit_number",
        f"Vial {vial.unit_number} of lot {vial.lot} expires before the infusion ends: its last usable day is"
        f" {say_day(vial.expires_on)}, the infusion would end on {say_day(days.last)}. Take one that expires later.",
        "A40",
        "8.2",
    )


def left_behind(desk: Desk, reader: Reader, dose_id: str, units: Sequence[str]) -> tuple[UsableVial, ...]:
    """The usable vials that expire before one of these of the same strength; passing them over takes a reason."""
    thread = thread_of(reader, dose_id)
    days = _days_of(thread, settings_of(reader), desk.clock(), zone_of(site_of(reader)))
    return passed_over([usable_vial(_vial(reader, number)) for number in units], _usable(reader, days))


def budget_facts(thread: views.DoseThread, decision: DoseDecision) -> BudgetFacts:
    """What the tolerance budget needs of a dose; raises ``Refused`` when no dose was calculated."""
    unrounded_mg, planned_mg, mg_per_m2 = decision.planned_mg_unrounded, decision.planned_mg, decision.dose_mg_per_m2
    formula, height_cm, weight_kg = decision.bsa_formula, thread.height_cm, thread.weight_kg
    missing = Refused(
        Fault(
            "",
            f"No dose was calculated for {thread.line.dose_id}, so it has no tolerance budget. Decide it first.",
            "T1",
            "8.1.3",
        )
    )
    if unrounded_mg is None or planned_mg is None or mg_per_m2 is None:
        raise missing
    if formula is None or height_cm is None or weight_kg is None:
        raise missing
    return BudgetFacts(thread.line.prescribed_mg, unrounded_mg, planned_mg, mg_per_m2, formula, height_cm, weight_kg)


def budget_of(reader: Reader, dose_id: str, units: Sequence[str] = ()) -> Budget:
    """The tolerance budget of a dose made up from these vials, in the order of drawing; without any, of its plan.

    Raises ``Refused`` for a vial that is not there, and for a dose without a calculation or, without vials, a plan.
    """
    thread = thread_of(reader, dose_id)
    if not units:
        return planned_budget(reader, thread)
    facts = budget_facts(thread, decision_of(thread))
    settings = settings_of(reader)
    vials = [usable_vial(_vial(reader, number)) for number in units]
    plan = plan_with(thread.line.prescribed_mg, vials, settings)
    return tolerance_budget(facts, plan, settings, protocol_of(site_of(reader), thread.line.planned_on))


def planned_budget(reader: Reader, thread: views.DoseThread) -> Budget:
    """The budget recorded with the plan; for a plan recorded without one, worked out from what was recorded."""
    plan = plan_of(thread)
    if "budget" in thread.plan:
        return from_plain(Budget, thread.plan["budget"])
    facts = budget_facts(thread, decision_of(thread))
    protocol = protocol_of(site_of(reader), thread.line.planned_on)
    return tolerance_budget(facts, plan, planned_settings(thread), protocol)


def usable_vial(vial: Vial) -> UsableVial:
    """A vial as the planner sees it."""
    return UsableVial(vial.unit_number, vial.strength_mg, vial.lot, vial.expires_on, vial.place)


@dataclass(frozen=True, slots=True)
class ScanForm:
    """One scan while the vials of a plan are picked: the plan's vials, what was scanned before, and the new text.

    ``by_hand`` and ``sends_separator`` as ``scanning.where`` takes them.
    """

    dose_id: str
    proposed: tuple[str, ...]
    scanned: tuple[str, ...]
    text: str
    by_hand: bool = False
    sends_separator: bool = False


def _scanned_vial(desk: Desk, reader: Reader, form: ScanForm) -> Vial:
    return find_vial(
        reader, form.text, today_of(desk, reader), by_hand=form.by_hand, sends_separator=form.sends_separator
    )


def check_scan(desk: Desk, reader: Reader, form: ScanForm) -> Vial:
    """The vial a scan means, when it fits the plan; otherwise ``Refused`` says why it does not."""
    thread = thread_of(reader, form.dose_id)
    vial = _scanned_vial(desk, reader, form)
    days = _days_of(thread, settings_of(reader), desk.clock(), zone_of(site_of(reader)))
    _fits(reader, form.proposed, form.scanned, vial, days)
    return vial


def take_instead(desk: Desk, reader: Reader, form: ScanForm) -> Plan:
    """The plan with the scanned vial in the place of one of its strength that was not scanned yet.

    So a person takes another lot than the one proposed. Raises ``Refused`` where the vial may not be used, or where
    nothing of its strength is left to be scanned.
    """
    thread = thread_of(reader, form.dose_id)
    settings = settings_of(reader)
    vial = _scanned_vial(desk, reader, form)
    fault = _why_not(vial, _days_of(thread, settings, desk.clock(), zone_of(site_of(reader))))
    if fault:
        raise Refused(fault)
    done = Counter(_kind(reader, number) for number in form.scanned)
    left = []
    for number in form.proposed:
        kind = _kind(reader, number)
        if done[kind]:
            done[kind] -= 1
        elif kind[0] == vial.strength_mg:
            left.append(number)
    if not left or vial.unit_number in form.scanned:
        raise Refused(
            Fault(
                "unit_number",
                f"The plan takes no further {show(vial.strength_mg)} mg vial. Put vial {vial.unit_number} back.",
                "R55",
                "8.2",
            )
        )
    units = [vial.unit_number if number == left[-1] else number for number in form.proposed]
    vials = [usable_vial(_vial(reader, number)) for number in units]
    protocol = protocol_of(site_of(reader), thread.line.planned_on)
    plan = plan_with(thread.line.prescribed_mg, vials, settings)
    return judged(plan, budget_facts(thread, decision_of(thread)), settings, protocol)[0]


def _fits(
    reader: Reader,
    proposed: Sequence[str],
    scanned: Sequence[str],
    vial: Vial,
    days: _Days,
) -> None:
    if vial.unit_number in scanned:
        raise Refused(
            Fault("unit_number", f"Vial {vial.unit_number} was scanned already. Put it aside and scan the next one.")
        )
    fault = _why_not(vial, days)
    if fault:
        raise Refused(fault)
    planned = Counter(_kind(reader, number) for number in proposed)
    taken = Counter(_kind(reader, number) for number in scanned)
    kind = (vial.strength_mg, vial.lot)
    if taken[kind] >= planned[kind]:
        strength = show(vial.strength_mg)
        if not planned[kind]:
            lots = sorted(lot for of, lot in planned if of == vial.strength_mg)
            wanted = (
                f"The plan takes {strength} mg vials of lot {', '.join(lots)}"
                if lots
                else f"The plan takes no {strength} mg vial"
            )
            sentence = f"Vial {vial.unit_number} is the wrong lot: it is {strength} mg of lot {vial.lot}. {wanted}."
        else:
            sentence = (
                f"The plan needs {planned[kind]} vial(s) of {strength} mg, lot {vial.lot}, and they are scanned."
                f" Put vial {vial.unit_number} back."
            )
        raise Refused(Fault("unit_number", sentence, "R55", "8.2"))


def _vial(reader: Reader, unit_number: str) -> Vial:
    vial = reader.vial(unit_number)
    if vial is None:
        raise Refused(Fault("unit_number", f"There is no vial {unit_number} in this pharmacy."))
    return vial


def _kind(reader: Reader, unit_number: str) -> tuple[Decimal, str]:
    vial = _vial(reader, unit_number)
    return vial.strength_mg, vial.lot


@dataclass(frozen=True, slots=True)
class ReserveForm:
    """The chosen plan's vials, the vials scanned for it in the order of drawing, and the reason past warnings.

    ``passed_over_reason`` is one of ``PASSED_OVER_REASONS`` where a usable vial that expires earlier stays on the
    shelf; ``passed_over_note`` says more, and must where the reason is 'other'.
    """

    dose_id: str
    proposed: tuple[str, ...]
    scanned: tuple[str, ...]
    reason: str = ""
    passed_over_reason: str = ""
    passed_over_note: str = ""


def reserve(desk: Desk, act: Act, form: ReserveForm, credentials: Credentials) -> Event:
    """Reserve the scanned vials and sign calculation and plan; every check is made again here, at the commit."""

    def build(writer: Writer, moment: Moment) -> Draft:
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("decided",), "be planned")
        own_signature(moment)
        decision = still_true(writer, thread, moment.today)
        for other in writer.doses(subject_number=thread.line.subject_number, statuses=UNDER_WAY):
            raise Refused(
                Fault(
                    "",
                    f"Dose {other.dose_id} of this subject is {other.status}. Record that it was given, or cancel it,"
                    " before vials are reserved for another one.",
                    "A25",
                    "8.1.3",
                )
            )
        check_order(writer, form.scanned, utc_text(moment.now))
        reading = Reading()
        settings = settings_of(writer)
        days = _days_of(thread, settings, moment.now, zone_of(moment.site))
        vials: list[Vial] = []
        for number in form.scanned:
            vial = _vial(writer, number)
            _fits(writer, form.proposed, [done.unit_number for done in vials], vial, days)
            vials.append(vial)
        missing = len(form.proposed) - len(vials)
        if missing:
            raise Refused(Fault("unit_number", f"{missing} more vial(s) of the plan must be scanned.", "R55", "8.2"))
        taken = [usable_vial(vial) for vial in vials]
        plan, budget = judged(
            plan_with(thread.line.prescribed_mg, taken, settings),
            budget_facts(thread, decision),
            settings,
            protocol_of(moment.site, thread.line.planned_on),
        )
        refuse_findings(plan.findings)
        reason = reading.note(form.reason, "reason", "The reason")
        if not reason and any(finding.severity is Severity.WARN for finding in plan.findings):
            reading.fault(
                "reason", "The plan has a warning. Type the reason for going on, as it shall stand on the record."
            )
        earlier = passed_over(taken, _usable(writer, days))
        why_earlier = _passed_over_reason(reading, form, earlier)
        reading.done()
        if earlier:
            plan = replace(plan, findings=(*plan.findings, passed_over_finding(earlier, why_earlier)))
        return Draft(
            {
                "dose_id": form.dose_id,
                "decision_seq": thread.decision_seq,
                "planned_mg": decision.planned_mg,
                # The settings the plan was made with: worksheet, mixing and label go by these, or not at all.
                "plan": {
                    **_plain_plan(plan),
                    "settings": settings,
                    "budget": budget,
                    "reason": reason,
                    "passed_over": [vial.unit_number for vial in earlier],
                    "passed_over_reason": why_earlier,
                },
                "moves": [move(vial, "reserve") for vial in vials],
                "line": {"dose_id": form.dose_id, "counterparty": thread.line.subject_number, "comment": "reserved"},
            },
            why=reason,
        )

    return perform(desk, act, "vials_reserved", form, build, (Signing(credentials, "calculated and planned the dose"),))


def _passed_over_reason(reading: Reading, form: ReserveForm, earlier: Sequence[UsableVial]) -> str:
    """Why earlier-expiring vials stay on the shelf, in one line; '' where there are none."""
    if not earlier:
        return ""
    note = reading.note(form.passed_over_note, "passed_over_note", "The note", longest=300)
    if not form.passed_over_reason:
        reading.fault("passed_over_reason", passed_over_finding(earlier, "").sentence, "A40", "8.2")
        return ""
    reason = reading.choice(form.passed_over_reason, "passed_over_reason", "The reason", PASSED_OVER_REASONS)
    if reason == "other" and not note:
        reading.fault("passed_over_note", "Say in words why the earlier ones are not taken.", "A40", "8.2")
    return ": ".join(part for part in (reason, note) if part)


def _plain_plan(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in Plan.__dataclass_fields__}


def plan_of(thread: views.DoseThread) -> Plan:
    """The recorded plan of a dose; raises ``Refused`` when it has none yet."""
    if thread.plan is None:
        raise Refused(Fault("", f"No vials are planned for dose {thread.line.dose_id} yet.", "", "8.1.2"))
    return from_plain(Plan, {name: thread.plan[name] for name in Plan.__dataclass_fields__})


def planned_settings(thread: views.DoseThread) -> StudySettings:
    """The signed settings a dose was planned with; raises ``Refused`` when it has no plan yet."""
    plan_of(thread)
    return from_plain(StudySettings, thread.plan["settings"])


def own_signature(moment: Moment) -> None:
    """The signature of an act is its own person's."""
    if moment.signers[0].account_id != moment.person.account_id:
        raise Refused(
            Fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
        )


def refuse_findings(findings: Sequence[Finding]) -> None:
    """Refuse when a finding blocks, with every blocking sentence."""
    faults = [Fault("", finding.sentence, finding.rule, finding.section) for finding in findings if finding.blocks]
    if faults:
        raise Refused(*faults)


# --- the second person ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckForm:
    """The second person's own calculation as typed, made without seeing the first (REGULATION D-12)."""

    dose_id: str
    height_cm: str
    weight_kg: str
    dose_mg_per_m2: str
    dose_mg: str
    drawn_ml: str


_CHECKED = {
    "height_cm": "height",
    "weight_kg": "weight",
    "dose_mg_per_m2": "dose per m²",
    "dose_mg": "planned dose",
    "drawn_ml": "volume to draw",
}


def verify_dose(desk: Desk, act: Act, form: CheckForm, credentials: Credentials) -> Event:
    """Record the blind second check; a disagreement is recorded too and the dose stays unverified.

    The signer is another person than the one who planned. The event's ``agreed`` says how it went, and
    ``disagreed`` names the values without giving the expected ones.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("planned",), "be checked")
        if moment.signers[0].account_id == thread.planner_id:
            raise Refused(
                Fault(
                    "user_name",
                    f"{thread.planned_by} planned this dose. The second check is another person's.",
                    "",
                    "8.1.2",
                )
            )
        decided = writer.event(thread.decision_seq) if thread.decision_seq else None
        if decided is not None and decided.actor_name == moment.signers[0].printed_name:
            raise Refused(
                Fault(
                    "user_name",
                    f"{decided.actor_name} recorded the decision on this dose. The second check is another person's.",
                    "",
                    "8.1.2",
                )
            )
        typed = {name: reading.decimal(getattr(form, name), name, f"The {words}") for name, words in _CHECKED.items()}
        reading.done()
        refuse_any(_without_label(writer, thread))
        decision = still_true(writer, thread, moment.today)
        plan = plan_of(thread)
        expected = {
            "height_cm": thread.height_cm,
            "weight_kg": thread.weight_kg,
            "dose_mg_per_m2": decision.dose_mg_per_m2,
            "dose_mg": decision.planned_mg,
            "drawn_ml": plan.drawn_ml,
        }
        disagreed = [
            name for name, value in expected.items() if value is None or abs(typed[name] - value) > _slack(name, value)
        ]
        checker = moment.signers[0]
        return Draft(
            {
                "dose_id": form.dose_id,
                "plan_seq": thread.plan_seq,
                "typed": typed,
                "agreed": not disagreed,
                "disagreed": disagreed,
                "checker": checker.printed_name,
                "checker_id": checker.account_id,
            }
        )

    return perform(
        desk,
        act,
        "dose_verified",
        form,
        build,
        (Signing(credentials, "calculated independently and compared"),),
    )


def _slack(name: str, value: Decimal) -> Decimal:
    """How far the checker's value may lie off: calculated ones a little, read ones not at all.

    A height or weight that was converted from inches or pounds has more digits than anybody types, so there the
    second place counts.
    """
    if name == "dose_mg":
        return AGREEMENT * value
    if name == "drawn_ml":
        return max(AGREEMENT * value, READABLE_ML)
    if name in ("height_cm", "weight_kg") and value != round(value, 2):
        return Decimal("0.01")
    return Decimal(0)


def disagreement(event: Event) -> str:
    """What to say after a check that did not agree, '' when it did."""
    names = [_CHECKED[name] for name in event.content["disagreed"]]
    if not names:
        return ""
    return (
        f"The second calculation does not agree in: {', '.join(names)}. Both look at the order, the measurements and"
        " the protocol again; then check once more, or cancel the dose and order it anew."
    )


# --- mixing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrepareForm:
    """What was done at the hood as typed: times at the site, and mL drawn from each vial of the plan."""

    dose_id: str
    reconstituted_at: str
    diluted_at: str
    drawn_ml: tuple[tuple[str, str], ...]
    late_why: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn from one vial: the mL read off the syringe, and the mg they hold."""

    unit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    drawn_ml: Decimal
    drawn_mg: Decimal


@dataclass(frozen=True, slots=True)
class Preparation:
    """What was done at the hood, as it is kept: times, what was drawn, and until when the bag may be used.

    ``drawn_ml`` and ``prepared_mg`` are the sums of ``draws``.
    """

    reconstituted_at: datetime
    diluted_at: datetime
    draws: tuple[Drawn, ...]
    drawn_ml: Decimal
    prepared_mg: Decimal
    bag_volume_ml: Decimal
    diluent: str
    final_mg_per_ml: Decimal
    start_by: datetime
    beyond_use_at: datetime
    clock: BeyondUse
    comparison: DoseComparison


def read_preparation(
    reading: Reading, thread: views.DoseThread, form: PrepareForm, moment: Moment, vials: Sequence[Vial]
) -> Preparation:
    """What was typed of a preparation from these vials, read and compared; raises ``Refused`` with all its faults."""
    zone = zone_of(moment.site)
    reconstituted_at = reading.moment(form.reconstituted_at, "reconstituted_at", zone, moment.now)
    diluted_at = reading.moment(form.diluted_at, "diluted_at", zone, moment.now)
    verified_at = _minute(thread.verified_at or moment.now)
    for name, at in (("reconstituted_at", reconstituted_at), ("diluted_at", diluted_at)):
        if at > moment.now:
            reading.fault(name, f"{say_moment(at)} is in the future.")
        elif at < verified_at:
            reading.fault(
                name,
                f"{say_moment(at)} is before the second check ({verified_at:%H:%M}). Mixing comes after it.",
                "",
                "8.1.2",
            )
    if reconstituted_at.date() != thread.line.planned_on:
        reading.fault(
            "reconstituted_at",
            f"This dose was decided for {say_day(thread.line.planned_on)}. Cancel it and order it for the day on"
            " which it is given.",
            "R20",
            "8.1.3",
        )
    settings = planned_settings(thread)
    plan = plan_of(thread)
    typed = dict(form.drawn_ml)
    # A label may have been corrected, or an extension taken back, since the plan was made.
    now = {vial.unit_number: vial for vial in thread.vials}
    draws = []
    for draw in plan.draws:
        setting = needed(settings.vial(draw.strength_mg), f"vial_{draw.strength_mg}mg").value
        field = f"drawn_ml.{draw.unit_number}"
        drawn_ml = reading.decimal(typed.get(draw.unit_number, ""), field, "the volume drawn", "mL")
        drawn_mg = KEPT.multiply(drawn_ml, setting.concentration_mg_per_ml)
        if drawn_mg > draw.strength_mg:
            reading.fault(
                field,
                f"{show_ml(drawn_ml)} would be {show(drawn_mg)} mg, more than the vial holds"
                f" ({show(draw.strength_mg)} mg).",
                "A20",
                "8.1.2",
            )
        vial = now.get(draw.unit_number)
        lot, expires_on = (vial.lot, vial.expires_on) if vial is not None else (draw.lot, draw.expires_on)
        draws.append(Drawn(draw.unit_number, draw.strength_mg, lot, expires_on, drawn_ml, drawn_mg))
    days = _days_of(thread, settings, diluted_at, zone)
    for vial in vials:
        fault = _why_not(_as_available(vial), days)
        if fault:
            reading.faults.append(fault)
    reading.done()
    bag = needed(settings.bag, "bag").value
    limits = needed(settings.stability, "stability").value
    drawn_total = sum((draw.drawn_ml for draw in draws), Decimal(0))
    prepared_mg = sum((draw.drawn_mg for draw in draws), Decimal(0))
    protocol = protocol_of(moment.site, thread.line.planned_on)
    earliest = min(draw.expires_on for draw in draws)
    compounding = settings.compounding.value if settings.compounding is not None else None
    clock = beyond_use(reconstituted_at, diluted_at, limits, earliest, zone, compounding)
    compared = compare_prepared(prepared_mg, thread.line.prescribed_mg, protocol)
    return Preparation(
        reconstituted_at,
        diluted_at,
        tuple(draws),
        drawn_total,
        prepared_mg,
        bag.bag_volume_ml,
        bag.diluent,
        KEPT.divide(prepared_mg, bag.bag_volume_ml),
        clock.start_by,
        clock.end_by,
        clock,
        compared,
    )


def prepare(desk: Desk, act: Act, form: PrepareForm) -> Event:
    """Record the preparation: vials are opened, prepared mg against prescribed, the beyond-use time is set.

    A preparation off by 10 % or more is a fact and is recorded; it can then only be cancelled (RULES R19).
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("verified",), "be prepared")
        still_true(writer, thread, moment.today)
        if not writer.printed(about=form.dose_id, paper="worksheet", limit=1):
            raise Refused(Fault("", "Print the worksheet first: it goes with the vials to the hood.", "R51", "8.1.2"))
        if moment.person.printed_name == thread.verified_by:
            raise Refused(
                Fault("", f"{thread.verified_by} made the second check. Another person mixes.", "R58", "8.1.2")
            )
        refuse_any(_without_label(writer, thread))
        late_why = reading.note(form.late_why, "late_why", "The reason for the late entry", longest=300)
        _still_its_own(reading, writer, thread)
        prepared = read_preparation(reading, thread, form, moment, thread.vials)
        subject = writer.subject(thread.line.subject_number)
        done_at = _not_before(writer, thread, prepared.reconstituted_at)
        return Draft(
            {
                "dose_id": form.dose_id,
                "preparation": prepared,
                "moves": [move(vial, "open") for vial in thread.vials],
                "line": {
                    "dose_id": form.dose_id,
                    "counterparty": thread.line.subject_number,
                    "initials": subject.initials if subject else "",
                    "cycle_day": f"C{thread.line.cycle} D{thread.line.day}",
                    "dose_mg": show(thread.line.prescribed_mg),
                    "reference": form.dose_id,
                    "comment": "prepared",
                    "verifier": thread.verified_by,
                },
            },
            done_at=done_at,
            late_why=late_why,
        )

    return perform(desk, act, "dose_prepared", form, build)


def _still_its_own(reading: Reading, reader: Reader, thread: views.DoseThread) -> None:
    """Refuse a preparation from vials that went to another dose: put aside, permitted again and reserved anew."""
    its_own = {vial.unit_number for vial in thread.vials}
    for draw in plan_of(thread).draws:
        if draw.unit_number not in its_own:
            other = _vial(reader, draw.unit_number).dose_id
            goes_to = f"is dose {other}'s by now" if other else "no longer waits for this dose"
            reading.fault(
                "unit_number",
                f"Vial {draw.unit_number} of the plan {goes_to}. Cancel dose {thread.line.dose_id} and order it again.",
                "R55",
                "8.1.2",
            )


def _as_available(vial: Vial) -> Vial:
    """A reserved vial judged as if it were back in stock: by its expiry and its label."""
    return replace(vial, state="available") if vial.state == "reserved" else vial


def _without_label(reader: Reader, thread: views.DoseThread) -> list[Fault]:
    """The vials of a dose on which no label of their own counts: void, printed anew, or older than a correction.

    A vial that was opened gets no vial label any more, and what was corrected since is judged by itself. Only where its
    label is void is it in doubt which vial it was: the label of opened vials, scanned back, says so.
    """
    faults = []
    for vial in thread.vials:
        if vial.label_scanned or vial.state not in ("reserved", "opened", "partial"):
            continue
        label, kind = reader.newest_label("vial", vial.unit_number), "vial"
        if vial.state != "reserved":
            if label is None or label.live:
                continue
            kind = "opened vial"
            label = reader.newest_label(kind, vial.unit_number) or label
            if label.stands_since(vial.label_from_seq):
                continue
        faults.append(_label_first(vial, label, kind))
    return faults


def _label_first(vial: Vial, newest: views.LabelLine | None, kind: str) -> Fault:
    """What is wrong with the newest label of a vial of a dose, and what to do before the dose goes on."""
    if newest is None:
        wrong = f"No label was printed for vial {vial.unit_number}."
    elif not newest.live:
        wrong = f"The {newest.kind} label of vial {vial.unit_number} is void: {newest.void_why}."
    elif newest.event_seq <= vial.label_from_seq:
        wrong = f"The {newest.kind} label of vial {vial.unit_number} is older than a correction of what it says."
    else:
        return Fault(
            "",
            f"The {newest.kind} label of vial {vial.unit_number}, copy {newest.copy_number}, was not scanned since it"
            " was printed. Put it on, scan it under Labels, and then go on.",
            "",
            "8.2",
        )
    return Fault("", f"{wrong} Print the {kind} label under Labels, put it on, scan it, and then go on.", "", "8.2")


def _minute(moment: datetime) -> datetime:
    """A typed time has whole minutes, so what it is compared with has too."""
    return moment.replace(second=0, microsecond=0)


def _not_before(writer: Writer, thread: views.DoseThread, typed: datetime) -> datetime:
    """A typed minute in which the vials were also reserved is taken as right after that."""
    units = [vial.unit_number for vial in thread.vials]
    latest = writer.vials_moved_utc(units)
    moved = datetime.fromisoformat(latest)
    if _minute(moved) == _minute(typed) and moved > typed:
        return moved.astimezone(typed.tzinfo)
    check_order(writer, units, utc_text(typed))
    return typed


# --- release --------------------------------------------------------------------------------------------------


def _not_to_be_given(reader: Reader, thread: views.DoseThread, last: date) -> list[Fault]:
    """Why a bag must not leave by what became known of its vials since it was mixed (§ 8.2; RULES R54, A40).

    A label may have been corrected to an earlier expiry, or an extension taken back, a storage deviation found that
    the vials lay through, or an alarm read from their logger. ``last`` is the day on which the infusion ends.
    """
    faults = [
        Fault(
            "",
            f"The last usable day of vial {vial.unit_number} of this bag is {say_day(vial.expires_on)}; the infusion"
            f" would end on {say_day(last)}. This bag must not be given: cancel the dose.",
            "A40",
            "8.2",
        )
        for vial in thread.vials
        if not in_date(vial.expires_on, last)
    ]
    faults += [
        Fault(
            "",
            f"Vial {exposure.unit_number} of this bag lay through storage deviation {exposure.deviation_id}, and the"
            " supporter has not permitted its use in writing. Record the permission there, or cancel the dose.",
            "R54",
            "8.2",
        )
        for exposure in reader.open_exposures([vial.unit_number for vial in thread.vials])
        if exposure.decision != MAY_BE_USED
    ]
    units = {vial.unit_number for vial in thread.vials}
    faults += [
        Fault(
            "",
            f"Vial {unit_number} of this bag came with shipment {event.content['shipment']}, and after it was opened"
            f" its logger was read: {logger_showed(event)}. This bag must not be given: cancel the dose.",
            "R54",
            "8.2",
        )
        for event in alarms_read(reader)
        for unit_number in event.content.get("opened", ())
        if unit_number in units
    ]
    return faults


def _labelled(reader: Reader, thread: views.DoseThread) -> None:
    """Refuse a bag whose two labels are not there, are older than its preparation, or were not scanned back."""
    dose_id = thread.line.dose_id
    newest = [reader.newest_label(kind, dose_id) for kind in BAG_LABELS]
    labels = [label for label in newest if label is not None and label.live]
    void = [label for label in newest if label is not None and not label.live]
    if void:
        raise Refused(
            *(
                Fault(
                    "",
                    f"The {label.kind} label of dose {dose_id} is void: {label.void_why}. Print it again, put the new"
                    " one on, and scan it: no older copy counts.",
                    "R53",
                    "8.2",
                )
                for label in void
            )
        )
    if len(labels) < len(BAG_LABELS):
        raise Refused(
            Fault("", "Print the bag label and the light cover's label first, and put both on.", "R53", "8.2")
        )
    if thread.prepare_seq is not None and any(label.event_seq < thread.prepare_seq for label in labels):
        raise Refused(
            Fault(
                "",
                "The preparation was corrected since the bag label was printed. Print it again, and put the new"
                " labels on.",
                "R53",
                "8.2",
            )
        )
    left = [label.kind for label in labels if label.scanned_at is None]
    if left:
        raise Refused(
            Fault(
                "",
                f"The label on the {' and that on the '.join(left)} of dose {dose_id} was not scanned since it was"
                " printed. Scan it back under Labels: so it is sure that this bag carries its own.",
                "R53",
                "8.2",
            )
        )


@dataclass(frozen=True, slots=True)
class ReleaseForm:
    """To whom the bag goes."""

    dose_id: str
    released_to: str


def release(desk: Desk, act: Act, form: ReleaseForm, credentials: Credentials) -> Event:
    """Release the labelled bag: prepared against prescribed within 10 %, labels printed, time left (RULES R19)."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        thread = thread_of(writer, form.dose_id)
        in_status(thread, ("prepared",), "be released")
        own_signature(moment)
        released_to = reading.text(form.released_to, "released_to", "Who takes the bag, and where it goes", longest=80)
        reading.done()
        preparation = thread.preparation
        assert thread.prepared_mg is not None and thread.weight_kg is not None
        protocol = protocol_of(moment.site, thread.line.planned_on)
        if decision_of(thread).protocol_sha256 != protocol.sha256:
            raise Refused(
                Fault(
                    "",
                    f"Since dose {form.dose_id} was decided, an amendment of the protocol has been signed for its day."
                    " This bag must not be given: cancel the dose and order it again.",
                    "",
                    "8.1.3",
                )
            )
        newest = writer.last_measured(thread.line.subject_number, "weight")
        over = protocol.weight.change_over_percent
        if newest is not None and exceeds(newest, thread.weight_kg, over):
            raise Refused(
                Fault(
                    "",
                    f"The newest weight is {show(newest)} kg; the dose was calculated from {show(thread.weight_kg)} kg,"
                    f" more than {show(over)} % away. This bag must not be given: cancel the dose and order it again.",
                    "R14",
                    "8.1.3",
                )
            )
        stopping = stops_since(writer, thread, moment.today)
        if stopping:
            raise Refused(
                *(
                    Fault(
                        "",
                        f"Since dose {form.dose_id} was decided, something was recorded that stops it: {each.sentence}"
                        " This bag must not be given: cancel the dose.",
                        each.rule,
                        each.section,
                    )
                    for each in stopping
                )
            )
        days = _days_of(thread, planned_settings(thread), moment.now, zone_of(moment.site))
        refuse_any(_not_to_be_given(writer, thread, days.last))
        compared = compare_prepared(thread.prepared_mg, thread.line.prescribed_mg, protocol)
        if compared.finding is not None:
            refuse_findings((compared.finding,))
        refuse_any(_without_label(writer, thread))
        _labelled(writer, thread)
        start_by = datetime.fromisoformat(preparation["start_by"])
        if moment.now > start_by:
            raise Refused(
                Fault(
                    "",
                    f"The infusion had to start by {say_moment(start_by)}. This bag must not be given: cancel the"
                    " dose, and prepare it again.",
                    "A31",
                    "8.2",
                )
            )
        return Draft({"dose_id": form.dose_id, "released_to": released_to, "prepare_seq": thread.prepare_seq})

    return perform(desk, act, "dose_released", form, build, (Signing(credentials, "checked and released the bag"),))
