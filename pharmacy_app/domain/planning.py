"""Which vials to open for a dose, what to draw from each, the bag, and until when it may be used.

Vials are counted by what can be drawn from them (the signed extractable mg), never by the label: a labelled
1 mg that gives 0.9 mg is ten per cent too little (RULES A20). Nothing here is clamped; what cannot be done is
said in a finding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, localcontext

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.findings import Finding, Named, Severity
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.settings import (
    BagPreparation,
    CompoundingLimit,
    StabilityLimits,
    StudySettings,
    VialPreparation,
)
from pharmacy_app.domain.units import KEPT, WORKING, show, show_mg, show_mg_per_ml, show_ml

STRENGTHS_MG = (Decimal(4), Decimal(1))


@dataclass(frozen=True, slots=True)
class UsableVial:
    """One unopened vial that may be used on the day of the infusion."""

    unit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    place: str


@dataclass(frozen=True, slots=True)
class VialDraw:
    """What is drawn from one vial: mg and mL exactly, and the mg left in it that could still be drawn."""

    unit_number: str
    strength_mg: Decimal
    lot: str
    expires_on: date
    place: str
    draw_mg: Decimal
    draw_ml: Decimal
    left_mg: Decimal

    @property
    def shown_ml(self) -> str:
        """The volume as it is read off a syringe, to 0.01 mL."""
        return show_ml(self.draw_ml)


@dataclass(frozen=True, slots=True)
class BagPlan:
    """The bag: its volume, the drug drawn into it, the diluent to add (mL) and the final concentration."""

    diluent: str
    bag_volume_ml: Decimal
    drawn_ml: Decimal
    diluent_to_add_ml: Decimal
    final_mg_per_ml: Decimal
    inside_limits: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to make up a dose. ``waste_mg`` is what could be drawn from the opened vials beyond the dose."""

    dose_mg: Decimal
    draws: tuple[VialDraw, ...]
    extractable_mg: Decimal
    waste_mg: Decimal
    drawn_ml: Decimal
    earliest_expiry: date | None
    bag: BagPlan | None
    findings: tuple[Finding, ...]

    @property
    def may_go_on(self) -> bool:
        """Whether no finding of this plan blocks."""
        return not any(finding.blocks for finding in self.findings)

    def count(self, strength_mg: Decimal) -> int:
        """How many vials of one strength are opened."""
        return sum(1 for draw in self.draws if draw.strength_mg == strength_mg)


@dataclass(frozen=True, slots=True)
class Plans:
    """All plans, best first (least waste, then fewest vials, then earliest expiry), and what stands in the way."""

    dose_mg: Decimal
    plans: tuple[Plan, ...]
    findings: tuple[Finding, ...]

    @property
    def best(self) -> Plan | None:
        """The plan to propose, or ``None`` when there is none and a finding says why."""
        return self.plans[0] if self.plans else None


def plan_vials(
    prescribed_mg: Decimal,
    usable: Sequence[UsableVial],
    settings: StudySettings,
    max_alternatives: int = 5,
) -> Plans:
    """Return the ways to make up ``prescribed_mg`` from ``usable``: the best one and up to ``max_alternatives``.

    Within a strength the earliest expiry goes first, then lot, then unit number. A strength whose preparation is
    not signed is left out and named.
    """
    if prescribed_mg <= 0:
        stop = _stop("A20", f"A dose of {show_mg(prescribed_mg)} cannot be planned. Correct the order.", "8.1.3")
        return Plans(prescribed_mg, (), (stop,))
    findings: list[Finding] = []
    shelf: dict[Decimal, list[UsableVial]] = {}
    for strength in STRENGTHS_MG:
        if settings.vial(strength) is None:
            findings.append(_not_signed(strength, Severity.INFO))
        else:
            on_shelf = (vial for vial in usable if vial.strength_mg == strength)
            shelf[strength] = sorted(on_shelf, key=_first_expired_first)
    if not shelf:
        stops = tuple(_not_signed(strength, Severity.STOP) for strength in STRENGTHS_MG)
        return Plans(prescribed_mg, (), stops)
    extractable = {strength: _preparation(settings, strength).extractable_mg for strength in shelf}
    with localcontext(WORKING):
        on_hand = sum((extractable[strength] * len(vials) for strength, vials in shelf.items()), Decimal(0))
        if on_hand < prescribed_mg:
            return Plans(prescribed_mg, (), (_short(prescribed_mg, on_hand), *findings))
        ranked = sorted(_rank(counts, extractable, shelf) for counts in _counts(prescribed_mg, extractable, shelf))
    plans = tuple(
        plan_with(prescribed_mg, _taken(shelf, counts), settings)
        for _, _, _, counts in ranked[: 1 + max(0, max_alternatives)]
    )
    return Plans(prescribed_mg, plans, tuple(findings))


PASSED_OVER_REASONS = (
    "not at hand where the dose is prepared",
    "set apart for another dose",
    "the supporter asked for this lot",
    "other",
)
"""Why a vial that expires earlier may be left on the shelf (REGULATION A-21)."""


def passed_over(taken: Sequence[UsableVial], usable: Sequence[UsableVial]) -> tuple[UsableVial, ...]:
    """The usable vials that expire before one of the same strength that was taken instead, first expired first."""
    mine = {vial.unit_number for vial in taken}
    latest = {
        strength: max(vial.expires_on for vial in taken if vial.strength_mg == strength)
        for strength in {vial.strength_mg for vial in taken}
    }
    left = (
        vial
        for vial in usable
        if vial.unit_number not in mine and vial.strength_mg in latest and vial.expires_on < latest[vial.strength_mg]
    )
    return tuple(sorted(left, key=_first_expired_first))


def passed_over_finding(vials: Sequence[UsableVial], reason: str) -> Finding:
    """What the record says of earlier-expiring vials that were passed over; ``reason`` '' while it is still asked for.

    Named by strength and lot: how many, and their last usable day.
    """
    lots: dict[tuple[Decimal, str, date], int] = {}
    for vial in vials:
        key = vial.strength_mg, vial.lot, vial.expires_on
        lots[key] = lots.get(key, 0) + 1
    named = "; ".join(
        f"{count} × {show_mg(strength)} of lot {lot}, last usable day {say_day(expires_on)}"
        for (strength, lot, expires_on), count in lots.items()
    )
    said = f"Reason: {reason}." if reason else "Take those first, or give the reason."
    return Finding(
        "A40",
        Severity.INFO,
        f"Usable vials that expire earlier are passed over: {named}. {said}",
        "8.2",
        (Named("passed over", str(len(vials)), "vials"),),
    )


def end_of_infusion(now: datetime, planned_on: date, limits: StabilityLimits, tz: tzinfo) -> date:
    """The day of the site on which an infusion planned for a day ends at the earliest: begun now, or on its day.

    One that ends at midnight ends on the day before it: a vial counts through its printed day (RULES A40).
    """
    begin = max(now.astimezone(UTC), datetime.combine(planned_on, time(0), tzinfo=tz).astimezone(UTC))
    return (_later(begin, limits.infusion_h, UTC) - timedelta(microseconds=1)).astimezone(tz).date()


_Counts = tuple[tuple[Decimal, int], ...]


def _first_expired_first(vial: UsableVial) -> tuple[date, str, str]:
    return vial.expires_on, vial.lot, vial.unit_number


def _counts(
    dose_mg: Decimal, extractable: dict[Decimal, Decimal], shelf: dict[Decimal, list[UsableVial]]
) -> Iterable[_Counts]:
    """Every choice of how many vials of each strength that makes up the dose with no vial to spare."""
    strengths = tuple(shelf)
    if len(strengths) == 1:
        yield ((strengths[0], _needed(dose_mg, extractable[strengths[0]])),)
        return
    large, small = strengths
    for large_count in range(min(len(shelf[large]), _needed(dose_mg, extractable[large])) + 1):
        rest = dose_mg - large_count * extractable[large]
        small_count = _needed(rest, extractable[small])
        if small_count > len(shelf[small]):
            continue
        spare = large_count * extractable[large] + small_count * extractable[small] - dose_mg
        # Of the small ones no more are taken than the rest needs, so only a large one may be too many.
        if not (large_count and spare >= extractable[large]):
            yield ((large, large_count), (small, small_count))


def _needed(mg: Decimal, extractable_mg: Decimal) -> int:
    if mg <= 0:
        return 0
    whole, rest = divmod(mg, extractable_mg)
    return int(whole) + (1 if rest else 0)


def _taken(shelf: dict[Decimal, list[UsableVial]], counts: _Counts) -> tuple[UsableVial, ...]:
    return tuple(vial for strength, count in counts for vial in shelf[strength][:count])


def _rank(
    counts: _Counts, extractable: dict[Decimal, Decimal], shelf: dict[Decimal, list[UsableVial]]
) -> tuple[Decimal, int, tuple[date, ...], _Counts]:
    """What a choice is ranked by; the dose is the same for all, so the least opened is the least wasted."""
    taken = _taken(shelf, counts)
    opened_mg = sum((extractable[strength] * count for strength, count in counts), Decimal(0))
    return opened_mg, len(taken), tuple(sorted(vial.expires_on for vial in taken)), counts


def plan_with(prescribed_mg: Decimal, vials: Sequence[UsableVial], settings: StudySettings) -> Plan:
    """Return the plan for exactly these vials, drawn empty one after the other in the order given.

    Used for a proposed plan and for vials a person chose or scanned. Too few, or one too many, is a finding.
    """
    findings: list[Finding] = []
    unsigned = [strength for strength in STRENGTHS_MG if settings.vial(strength) is None]
    used_unsigned = [strength for strength in unsigned if any(vial.strength_mg == strength for vial in vials)]
    findings.extend(_not_signed(strength, Severity.STOP) for strength in used_unsigned)
    draws: list[VialDraw] = []
    with localcontext(WORKING):
        rest_mg = prescribed_mg
        extractable_mg = Decimal(0)
        for vial in vials:
            if vial.strength_mg in used_unsigned:
                continue
            preparation = _preparation(settings, vial.strength_mg)
            extractable_mg += preparation.extractable_mg
            if rest_mg <= 0:
                findings.append(
                    _stop(
                        "A20",
                        f"Vial {vial.unit_number} is not needed for {show_mg(prescribed_mg)}. Take it out.",
                        "8.1.2",
                    )
                )
            draw_mg = max(Decimal(0), min(preparation.extractable_mg, rest_mg))
            rest_mg -= draw_mg
            draws.append(_draw(vial, draw_mg, preparation))
        if rest_mg > 0:
            findings.append(_short(prescribed_mg, extractable_mg))
        drawn_ml = sum((draw.draw_ml for draw in draws), Decimal(0))
        bag, bag_findings = _bag(prescribed_mg, drawn_ml, settings)
        waste_mg = max(Decimal(0), extractable_mg - prescribed_mg)
    findings.extend(bag_findings)
    findings.extend(_mixed(draws))
    if settings.stability is None:
        findings.append(
            _stop(
                "A31",
                "The stability limits are not signed, so there is no beyond-use time. Sign them in the study "
                "settings with the Study Manual as their source.",
                "8.1.2, 8.2",
            )
        )
    return Plan(
        dose_mg=prescribed_mg,
        draws=tuple(draws),
        extractable_mg=extractable_mg,
        waste_mg=waste_mg,
        drawn_ml=drawn_ml,
        earliest_expiry=min((draw.expires_on for draw in draws), default=None),
        bag=bag,
        findings=tuple(findings),
    )


def look_alike(protocol: Protocol) -> Finding:
    """Return the note on the drug whose name is taken for the study's, for whoever fetches the vials (RULES A33)."""
    label, drug = protocol.commercial_label, protocol.study.drug
    return Finding(
        "A33",
        Severity.INFO,
        f"Take the vial that reads “{drug}” and names this study. “{label.look_alike}” is another drug.",
        label.section,
        (Named("study drug", drug), Named("look-alike", label.look_alike)),
    )


def _draw(vial: UsableVial, draw_mg: Decimal, preparation: VialPreparation) -> VialDraw:
    return VialDraw(
        unit_number=vial.unit_number,
        strength_mg=vial.strength_mg,
        lot=vial.lot,
        expires_on=vial.expires_on,
        place=vial.place,
        draw_mg=draw_mg,
        draw_ml=KEPT.divide(draw_mg, preparation.concentration_mg_per_ml),
        left_mg=preparation.extractable_mg - draw_mg,
    )


def _bag(dose_mg: Decimal, drawn_ml: Decimal, settings: StudySettings) -> tuple[BagPlan | None, tuple[Finding, ...]]:
    if settings.bag is None:
        return None, (
            _stop(
                "A31",
                "Diluent, bag volume and concentration limits are not signed, so no bag was planned. Sign them in "
                "the study settings with the Study Manual as their source.",
                "8.1.2",
            ),
        )
    bag: BagPreparation = settings.bag.value
    diluent_ml = bag.bag_volume_ml - drawn_ml
    if diluent_ml < 0:
        return None, (
            _stop(
                "A31",
                f"The drug drawn, {show_ml(drawn_ml)}, is more than the bag of {show_ml(bag.bag_volume_ml)}. "
                "Check the signed concentration and bag volume.",
                "8.1.2",
            ),
        )
    low = dose_mg < bag.min_mg_per_ml * bag.bag_volume_ml
    high = dose_mg > bag.max_mg_per_ml * bag.bag_volume_ml
    final = KEPT.divide(dose_mg, bag.bag_volume_ml)
    findings: tuple[Finding, ...] = ()
    if low or high:
        findings = (
            Finding(
                "A32",
                Severity.WARN,
                f"The final concentration, {show_mg_per_ml(final, 6)}, is {'below' if low else 'above'} the signed "
                f"range of {show(bag.min_mg_per_ml)} to {show_mg_per_ml(bag.max_mg_per_ml, None)}. Ask what volume "
                "the instructions allow for this dose, and give the reason for going on.",
                "8.1.2",
                (
                    Named("final concentration", show(final, 6), "mg/mL"),
                    Named("least", show(bag.min_mg_per_ml), "mg/mL"),
                    Named("most", show(bag.max_mg_per_ml), "mg/mL"),
                ),
            ),
        )
    plan = BagPlan(bag.diluent, bag.bag_volume_ml, drawn_ml, diluent_ml, final, not (low or high))
    return plan, findings


def _mixed(draws: Sequence[VialDraw]) -> Iterable[Finding]:
    """Notes for the hands: several lots of a strength, or vials from several places, in one dose."""
    for strength in STRENGTHS_MG:
        lots = sorted({draw.lot for draw in draws if draw.strength_mg == strength})
        if len(lots) > 1:
            yield Finding(
                "A20",
                Severity.INFO,
                f"The {show_mg(strength)} vials are of more than one lot ({', '.join(lots)}). Write each lot on the "
                "worksheet.",
                "8.2",
            )
    places = sorted({draw.place for draw in draws})
    if len(places) > 1:
        yield Finding("A20", Severity.INFO, f"The vials lie in more than one place: {', '.join(places)}.", "8.2")


def _preparation(settings: StudySettings, strength_mg: Decimal) -> VialPreparation:
    signed = settings.vial(strength_mg)
    if signed is None:
        raise ValueError(f"the {strength_mg} mg vial has no signed preparation")
    return signed.value


def _not_signed(strength_mg: Decimal, severity: Severity) -> Finding:
    consequence = "they are left out" if severity is Severity.INFO else "nothing can be planned from them"
    return Finding(
        "A20",
        severity,
        f"How {show_mg(strength_mg)} vials are made up is not signed (extractable mg, volume, concentration), so "
        f"{consequence}. Sign it in the study settings with the Study Manual as its source.",
        "8.1.2",
    )


def _short(dose_mg: Decimal, on_hand_mg: Decimal) -> Finding:
    short_mg = dose_mg - on_hand_mg
    return _stop(
        "A20",
        f"The vials give {show_mg(on_hand_mg, None)}, but the dose is {show_mg(dose_mg, None)}: "
        f"{show_mg(short_mg, None)} are missing. Add vials, or order stock.",
        "8.1.2",
        Named("extractable", show(on_hand_mg), "mg"),
        Named("dose", show(dose_mg), "mg"),
        Named("missing", show(short_mg), "mg"),
    )


def _stop(rule: str, sentence: str, section: str, *compared: Named) -> Finding:
    return Finding(rule, Severity.STOP, sentence, section, compared)


# --- beyond-use time -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClockStep:
    """One limit on the clock: what it is reckoned from, and the moment it gives (site time with its offset)."""

    name: str
    formula: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BeyondUse:
    """Until when the infusion must have ended, when it must have begun, and the limits that gave it."""

    start_by: datetime
    end_by: datetime
    steps: tuple[ClockStep, ...]
    deciding: str


def beyond_use(
    reconstituted_at: datetime,
    diluted_at: datetime | None,
    limits: StabilityLimits,
    earliest_expiry: date,
    tz: tzinfo,
    compounding: CompoundingLimit | None = None,
) -> BeyondUse:
    """Return the beyond-use time of a preparation from the signed limits; the earliest limit decides.

    ``compounding`` is the site's own limit, counted from reconstitution too; ``None`` when none is signed.
    Moments carry their UTC offset; hours are elapsed hours, whatever the clocks do that night. A vial counts
    through its printed day in ``tz``. Raises ``Refused`` when the dilution came too late or no time is left.
    """
    if reconstituted_at.tzinfo is None or (diluted_at is not None and diluted_at.tzinfo is None):
        raise ValueError("moments need their UTC offset")
    _check_dilution(reconstituted_at, diluted_at, limits, tz)
    steps = [
        ClockStep(
            "end by, from reconstitution",
            f"reconstitution {_clock(reconstituted_at, tz)} + {show(limits.reconstitution_to_end_h)} h",
            _later(reconstituted_at, limits.reconstitution_to_end_h, tz),
        )
    ]
    if diluted_at is not None:
        steps.append(
            ClockStep(
                "end by, from dilution",
                f"dilution {_clock(diluted_at, tz)} + {show(limits.dilution_to_end_room_h)} h at room temperature",
                _later(diluted_at, limits.dilution_to_end_room_h, tz),
            )
        )
    if compounding is not None:
        steps.append(
            ClockStep(
                "end by, from the compounding limit",
                f"reconstitution {_clock(reconstituted_at, tz)} + {show(compounding.hours)} h"
                f" ({compounding.category.value})",
                _later(reconstituted_at, compounding.hours, tz),
            )
        )
    midnight = datetime.combine(earliest_expiry + timedelta(days=1), time(0), tzinfo=tz)
    steps.append(
        ClockStep(
            "end by, from vial expiry", f"end of {say_day(earliest_expiry)}, the earliest expiry of a vial", midnight
        )
    )
    deciding = min(steps, key=lambda step: step.at.astimezone(UTC))
    start_by = _later(deciding.at, limits.infusion_h.copy_negate(), tz)  # a minus sign would round by the context
    steps.append(
        ClockStep("start by", f"{_clock(deciding.at, tz)} − {show(limits.infusion_h)} h of infusion", start_by)
    )
    ready_at = reconstituted_at if diluted_at is None else diluted_at
    if start_by < ready_at:
        raise Refused(
            Fault(
                "diluted_at" if diluted_at is not None else "reconstituted_at",
                f"No time is left: the infusion would have to start by {_clock(start_by, tz)}, before the drug was "
                f"made up at {_clock(ready_at, tz)} ({deciding.formula}). Discard it and prepare the dose again.",
                "A31",
                "8.2",
            )
        )
    return BeyondUse(start_by=start_by, end_by=deciding.at, steps=tuple(steps), deciding=deciding.name)


def usable_undiluted(
    reconstituted_at: datetime,
    limits: StabilityLimits,
    earliest_expiry: date,
    tz: tzinfo,
    compounding: CompoundingLimit | None = None,
) -> datetime:
    """Until when reconstituted drug in its vial or a syringe may go into a bag; the earliest limit decides.

    It has to be diluted in time, and nothing lives longer than the limits of the whole preparation.
    """
    moments = [
        _later(reconstituted_at, limits.reconstitution_to_dilution_h, tz),
        _later(reconstituted_at, limits.reconstitution_to_end_h, tz),
        datetime.combine(earliest_expiry + timedelta(days=1), time(0), tzinfo=tz),
    ]
    if compounding is not None:
        moments.append(_later(reconstituted_at, compounding.hours, tz))
    return min(moments, key=lambda moment: moment.astimezone(UTC))


def _check_dilution(
    reconstituted_at: datetime, diluted_at: datetime | None, limits: StabilityLimits, tz: tzinfo
) -> None:
    if diluted_at is None:
        return
    latest = _later(reconstituted_at, limits.reconstitution_to_dilution_h, tz)
    sentence = ""
    if diluted_at < reconstituted_at:
        sentence = (
            f"The dilution at {_clock(diluted_at, tz)} is before the reconstitution at "
            f"{_clock(reconstituted_at, tz)}. Correct the times."
        )
    elif diluted_at > latest:
        sentence = (
            f"The dilution at {_clock(diluted_at, tz)} came too late: it had to be by {_clock(latest, tz)}, "
            f"{show(limits.reconstitution_to_dilution_h)} h after reconstitution. Discard it and prepare the dose "
            "again."
        )
    if sentence:
        raise Refused(Fault("diluted_at", sentence, "A31", "8.2"))


def _later(moment: datetime, hours: Decimal, tz: tzinfo) -> datetime:
    """Elapsed hours after (or before) a moment. Reckoned in UTC: local clocks may jump in between."""
    with localcontext(WORKING):
        microseconds = int(hours * 3_600_000_000)
    return (moment.astimezone(UTC) + timedelta(microseconds=microseconds)).astimezone(tz)


def _clock(moment: datetime, tz: tzinfo) -> str:
    return say_moment(moment.astimezone(tz))
