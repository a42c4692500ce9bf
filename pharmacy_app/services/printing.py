"""Papers: every print is an act with its copy number, and its bytes are kept under their SHA-256."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.dates import at_site, say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.medication_errors import (
    MERP_NOTICE,
    MERP_QUESTIONS,
    WORKING_DAYS,
    Recipient,
    questions_asked,
)
from pharmacy_app.domain.people import Role, authority_fault
from pharmacy_app.domain.places import SATELLITE, record_type
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.rules.reminders import around_infusion
from pharmacy_app.domain.treatment import Treatment
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import NEVER_RECEIVED, STRENGTHS_MG, move_table
from pharmacy_app.services import views
from pharmacy_app.services.charts import doses_against_plan
from pharmacy_app.services.desk import (
    Act,
    Desk,
    Draft,
    Moment,
    perform,
    protocol_in,
    protocol_of,
    site_of,
    version_on,
    zone_of,
)
from pharmacy_app.services.doses import decision_of, in_status, thread_of
from pharmacy_app.services.medication_errors import Assessment, ErrorRecord, error_record
from pharmacy_app.services.papers import (
    AccountabilityHeader,
    AccountabilityLine,
    AnsweredQuestion,
    AssessmentEntry,
    Balances,
    CorrectedEntry,
    MedicationErrorReport,
    PaperStamp,
    PrintedSignature,
    Reconstitution,
    SafetyClock,
    SeriousEvent,
    StabilityLimit,
    Told,
    TreatmentCalendarPaper,
    VialDraw,
    WeightComparison,
    Worksheet,
)
from pharmacy_app.services.ports import LedgerFilter, Reader, Writer
from pharmacy_app.services.preparation import plan_of, planned_budget, planned_settings
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.reviews import verified_words
from pharmacy_app.services.study_settings import needed, settings_version
from pharmacy_app.services.subjects import drift_of
from pharmacy_app.services.treatment import calendar

HAZARD = "HAZARDOUS DRUG – CYTOTOXIC – handle and dispose accordingly – no pneumatic tube"
LIGHT = "PROTECT FROM LIGHT during preparation, storage and administration"
WORKSHEET_TEXTS = ("light_protection", "preparation")
"""Sentences of the protocol that every worksheet prints: each version must have them."""
WITH_CHECK = ("verified", "prepared", "released", "administered", "closed")


@dataclass(frozen=True, slots=True)
class PrintForm:
    """What to print: a dose's paper, or the labels of some vials. A reprint needs a reason."""

    about: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed paper: the event, the bytes, and their name in the store."""

    event: Event
    pdf: bytes
    sha256: str


def stamp_of(
    desk: Desk,
    reader: Reader,
    printed_by: str,
    printed_at: datetime,
    version: views.ProtocolVersion | None = None,
) -> PaperStamp:
    """Where and when a report was printed, and the journal's head that pins what it says.

    ``version`` is the protocol's version by which what the paper tells was done; left out, the one in force on the day
    of the print.
    """
    site, head = site_of(reader), reader.head()
    if version is None:
        version = version_on(site, printed_at.astimezone(zone_of(site)).date())
    return PaperStamp(
        study_title=site.study_title,
        protocol_name=site.protocol_number,
        protocol_version=version.label,
        protocol_sha256=version.sha256,
        site_name=site.name,
        site_number=site.number,
        printed_at=printed_at,
        printed_by=printed_by,
        app_version=desk.app_version,
        head_seq=head.seq,
        head_hash=head.hash,
        demonstration=site.demonstration,
        settings_version=settings_version(reader),
    )


def _print(
    desk: Desk,
    act: Act,
    paper: str,
    form: PrintForm,
    make: Any,
) -> Printed:
    """Print inside one act: count copies, make the bytes, keep them, append the event."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        copies = {
            about: len({line.event_seq for line in writer.printed(about=about, paper=paper)}) + 1
            for about in form.about
        }
        why = reading.note(form.why, "why", "The reason", longest=300)
        if not why and any(copy > 1 for copy in copies.values()):
            reading.fault("why", "This was printed before. Type why it is printed again; the label says REPRINT.")
        reading.done()
        pdf = make(writer, moment, copies)
        name = writer.put_paper(pdf)
        pages = desk.papers.page_count(pdf)
        return Draft(
            {
                "sha256": name,
                "papers": [
                    {"paper": paper, "about": about, "copy_number": copy, "pages": pages}
                    for about, copy in copies.items()
                ],
                **_foot(writer.head()),
            },
            why=why,
        )

    event = perform(desk, act, "paper_printed", {"paper": paper, "form": form}, build)
    return kept_print(desk, event)


def _foot(head: views.Head) -> dict[str, Any]:
    """The head that a paper's foot names, as its entry keeps it: by it, a later check finds where a journal differs."""
    return {"head_seq": head.seq, "head_hash": head.hash}


def kept_print(desk: Desk, event: Event) -> Printed:
    """The printed paper of a print's event."""
    name = event.content["sha256"]
    with desk.store.read() as reader:
        pdf = reader.paper(name)
    assert pdf is not None
    return Printed(event, pdf, name)


def _storage(protocol: Any) -> str:
    return f"Store at {show(protocol.storage.min_celsius)} °C to {show(protocol.storage.max_celsius)} °C"


def print_worksheet(desk: Desk, act: Act, dose_id: str, why: str = "") -> Printed:
    """The preparation worksheet, after both signatures and before mixing."""

    def make(writer: Writer, moment: Moment, copies: dict[str, int]) -> bytes:
        thread = thread_of(writer, dose_id)
        in_status(thread, WITH_CHECK, "have its worksheet printed")
        return desk.papers.worksheet(_worksheet(desk, writer, moment, thread, copies[dose_id]))

    return _print(desk, act, "worksheet", PrintForm((dose_id,), why), make)


def _worksheet(desk: Desk, reader: Reader, moment: Moment, thread: views.DoseThread, copy_number: int) -> Worksheet:
    line, settings = thread.line, planned_settings(thread)
    # A reprint speaks of the version the dose was decided by, whatever was signed since.
    decided_by = decision_of(thread).protocol_sha256
    version = next(version for version in moment.site.versions if version.sha256 == decided_by)
    protocol = protocol_in(version)
    is_first = (line.course, line.cycle, line.day) == (1, 1, 1)
    decision, plan = decision_of(thread), plan_of(thread)
    facts = thread.decision["facts"]
    stated = from_plain(Treatment, facts.get("treatment", {}))
    subject = reader.subject(line.subject_number)
    bag, stability = needed(settings.bag, "bag"), needed(settings.stability, "stability")
    strengths = sorted({draw.strength_mg for draw in plan.draws})
    made = [(strength, needed(settings.vial(strength), f"vial_{show(strength)}mg")) for strength in strengths]
    signed = (reader.event(seq) for seq in (thread.plan_seq, thread.verify_seq) if seq)
    prior = facts["prior_weight_used"]
    assert decision.bsa_m2 is not None and decision.planned_mg is not None and decision.dose_mg_per_m2 is not None
    assert thread.height_cm is not None and thread.weight_kg is not None and thread.weight_on is not None
    assert plan.bag is not None and decision.bsa_formula is not None
    sentences = [finding.sentence for finding in decision.findings if finding.rule in ("R14", "R15")]
    waiting = {vial.unit_number: vial.expires_on for vial in thread.vials if vial.state == "reserved"}
    hours = stability.value
    return Worksheet(
        stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now, version),
        dose_id=line.dose_id,
        copy_number=copy_number,
        product=protocol.study.drug,
        subject_number=line.subject_number,
        subject_initials=subject.initials if subject else "",
        born=_born(subject.birth) if subject else "",
        height_cm=thread.height_cm,
        height_measured_on=from_plain(datetime, facts["height"]["measured_on"] + "T00:00:00+00:00").date(),
        bsa_m2=decision.bsa_m2,
        bsa_formula=str(decision.bsa_formula),
        prescriber=line.prescriber,
        ordered_on=line.ordered_on,
        planned_on=line.planned_on,
        course=line.course,
        cycle=line.cycle,
        day=line.day,
        level=str(line.level) if stated.has_levels(line.course, line.cycle) else "N/A in cycle 1",
        dose_mg_per_m2=decision.dose_mg_per_m2,
        planned_mg=decision.planned_mg,
        prescribed_mg=line.prescribed_mg,
        weight=WeightComparison(
            weight_kg=thread.weight_kg,
            weighed_on=thread.weight_on,
            last_used_kg=Decimal(prior["kg"]) if prior else None,
            last_used_on=datetime.fromisoformat(prior["used_on"]).date() if prior else None,
            change_percent=decision.weight_change_percent,
            sentence=" ".join(sentences),
        ),
        steps=decision.steps,
        findings=(*decision.findings, *plan.findings),
        budget=planned_budget(reader, thread),
        vials=tuple(
            VialDraw(
                draw.unit_number,
                draw.strength_mg,
                draw.lot,
                # Until it is opened the vial's expiry may be corrected, or an extension of it taken back.
                waiting.get(draw.unit_number, draw.expires_on),
                draw.draw_mg,
                draw.draw_ml,
                draw.left_mg,
            )
            for draw in plan.draws
        ),
        reconstitution=tuple(
            Reconstitution(
                strength,
                setting.value.reconstitution_fluid,
                setting.value.reconstitution_ml,
                setting.value.concentration_mg_per_ml,
                setting.value.extractable_mg,
                setting.source,
            )
            for strength, setting in made
        ),
        withdraw_ml=plan.drawn_ml,
        diluent=bag.value.diluent,
        bag_volume_ml=bag.value.bag_volume_ml,
        final_mg_per_ml=plan.bag.final_mg_per_ml,
        min_mg_per_ml=bag.value.min_mg_per_ml,
        max_mg_per_ml=bag.value.max_mg_per_ml,
        bag_source=bag.source,
        instructions=(
            *(protocol.text(key).text for key in WORKSHEET_TEXTS),
            *(said.sentence for said in around_infusion(protocol, first_infusion=is_first)),
        ),
        light=LIGHT,
        hazard=HAZARD,
        stability=(
            StabilityLimit(
                "Reconstitution to dilution", f"{show(hours.reconstitution_to_dilution_h)} h", stability.source
            ),
            StabilityLimit(
                "Reconstitution to end of infusion", f"{show(hours.reconstitution_to_end_h)} h", stability.source
            ),
            StabilityLimit(
                "Dilution to end of infusion, room temperature",
                f"{show(hours.dilution_to_end_room_h)} h",
                stability.source,
            ),
        ),
        beyond_use_rule="The earliest of the limits, counted from the recorded times, and the vials' expiry.",
        signatures=tuple(each for event in signed if event is not None for each in signatures_of(reader, event)),
    )


def _born(text: str) -> str:
    """A kept birth as papers write it: ``09-Mar-1974``, or the year alone."""
    return say_day(datetime.fromisoformat(text)) if len(text) > 4 else text


def signatures_of(reader: Reader, event: views.EventLine) -> tuple[PrintedSignature, ...]:
    """An event's signatures as papers print them, in the order in which people signed."""
    return tuple(
        PrintedSignature(meaning, name, _role(reader, name), event.recorded_at)
        for name, _, meaning in (text.partition(": ") for text in event.signatures)
    )


def _role(reader: Reader, printed_name: str) -> str:
    for account in reader.accounts():
        if account.printed_name == printed_name:
            return " and ".join(role for role in account.roles if role is not Role.ADMINISTRATOR) or "administrator"
    return "N/A"


Tell = Callable[[int, int], None]
"""Hears how many of how many lines are drawn; it may raise, and then nothing is printed and nothing recorded."""

T = TypeVar("T")
TOLD_EVERY = 200
"""Lines between two tellings."""


def told(lines: Iterable[T], total: int, tell: Tell | None) -> Iterator[T]:
    """The same lines one after the other; ``tell`` hears how far they are."""
    for done, line in enumerate(lines):
        if tell is not None and done % TOLD_EVERY == 0:
            tell(done, total)
        yield line
    if tell is not None:
        tell(total, total)


SITE_LAYOUT, DARF_LAYOUT = "site", "DARF-style"
"""The layouts of the accountability record: the columns of REGULATION 6.2, or those of 6.1."""


@dataclass(frozen=True, slots=True)
class RecordForm:
    """Which accountability record: a strength, one lot or all (''), one place or all (''), and its layout.

    ``control`` leaves out the satellites, which have records of their own (REGULATION A-06).
    """

    strength_mg: str
    lot: str = ""
    place: str = ""
    control: bool = False
    layout: str = SITE_LAYOUT


def print_accountability_record(desk: Desk, act: Act, form: RecordForm, tell: Tell | None = None) -> Printed:
    """The accountability record of one strength, with the columns of REGULATION 6.2; anyone signed in may print it.

    It is drawn from one reading of the journal, beside the others' work, and then recorded: what is recorded while a
    long one is drawn is not on it, and the head at its foot says up to which entry it goes. ``tell`` hears how far it
    is and may raise to stop it.
    """

    def draw(reader: Reader, moment: Moment) -> _Drawn:
        reading = Reading()
        strength = Decimal(
            reading.choice(form.strength_mg, "strength_mg", "The strength", tuple(show(each) for each in STRENGTHS_MG))
        )
        covered = _covered(reading, reader, form)
        reading.choice(form.layout, "layout", "The layout", (SITE_LAYOUT, DARF_LAYOUT))
        reading.done()
        wanted = LedgerFilter(strength_mg=strength, lot=form.lot, record_only=True, place=form.place)
        protocol = protocol_of(moment.site, moment.today)
        names = frozenset(place.name for place in covered)
        in_parts = bool(form.place) or form.control
        lines = reader.whole_ledger(wanted)
        if form.control:
            lines = _lines_at(lines, names)
        in_nine = form.layout == DARF_LAYOUT
        paper = "accountability record" + (", DARF-style" if in_nine else "")
        where = f" at {form.place}" if form.place else " without satellites" if form.control else ""
        about = f"{show(strength)} mg" + (f" lot {form.lot}" if form.lot else "") + where
        pdf = (desk.papers.darf_style_record if in_nine else desk.papers.accountability_record)(
            AccountabilityHeader(
                sponsor=f"{protocol.study.sponsor} / {protocol.study.supporter}",
                protocol_name=moment.site.protocol_number,
                ind_number=protocol.study.ind_number or "N/A: the protocol names none",
                site_number=moment.site.number,
                site_name=moment.site.name,
                principal_investigator=moment.site.principal_investigator,
                product=protocol.study.drug,
                dosage_form=protocol.product.form,
                strength_mg=strength,
                lot=form.lot,
                storage_condition=_storage(protocol),
                storage_location=", ".join(
                    f"{place.name} ({place.room})" if place.room else place.name
                    for place in covered
                    if place.in_use or form.place
                ),
                record_type=record_type(frozenset(place.kind for place in covered)),
                manufacturer=protocol.study.supporter,
                copy_number=copies(reader, about, paper),
            ),
            told(record_lines(reader, lines), 0 if tell is None else reader.count_ledger(wanted), tell),
            _totals(reader, wanted, names, in_parts=in_parts),
            stamp_of(desk, reader, moment.person.printed_name, moment.now),
        )
        line = {
            "paper": paper,
            "about": about,
            "copy_number": copies(reader, about, paper),
            "pages": desk.papers.page_count(pdf),
        }
        return _Drawn(pdf, line, reader.head())

    return _drawn_and_kept(desk, act, form, draw, _same_copy)


def _covered(reading: Reading, reader: Reader, form: RecordForm) -> tuple[views.Place, ...]:
    """The places whose vials a record covers."""
    places = reader.places()
    if form.place:
        found = tuple(place for place in places if place.name == form.place)
        if not found:
            reading.fault("place", f"There is no place {form.place}. Choose one of the list.")
        return found
    return tuple(place for place in places if not (form.control and place.kind == SATELLITE))


def _lines_at(lines: Iterable[views.LedgerLine], places: frozenset[str]) -> Iterator[views.LedgerLine]:
    """Those lines of a strength that lie at these places, with the balances of what lies there."""
    now = {"available": 0, "quarantine": 0, "opened": 0}
    states = move_table().states
    for line in lines:
        if line.place not in places:
            continue
        for state, change in ((line.from_state, -line.quantity), (line.to_state, line.quantity)):
            if state and states[state].on_site:
                now[states[state].on_site] += change
        yield replace(line, balance_available=now["available"], balance_quarantine=now["quarantine"])


def _totals(
    reader: Reader, wanted: LedgerFilter, places: frozenset[str], *, in_parts: bool
) -> tuple[tuple[str, int], ...]:
    """What came, against the states in which it is now; of a part of the places also what was carried away from it."""
    states: dict[str, int] = {}
    for stock in reader.stock():
        if stock.strength_mg == wanted.strength_mg and wanted.lot in ("", stock.lot) and stock.place in places:
            states[stock.state] = states.get(stock.state, 0) + stock.vials
    if not in_parts:
        # A receipt that never came is taken off what was received.
        states.pop(NEVER_RECEIVED, None)
        brought, taken = reader.carried_over(wanted)
        over = (("Carried over", taken),) if taken else ()
        name = "Received or brought over" if brought else "Received"
        return (name, reader.received(wanted) + taken), *_said(states), *over
    came = away = 0
    per_event: dict[int, int] = {}
    for line in reader.whole_ledger(replace(wanted, record_only=False)):
        if line.place in places and not (line.from_state and line.to_state):
            change = line.quantity if line.to_state else -line.quantity
            per_event[line.event_seq] = per_event.get(line.event_seq, 0) + change
    for change in per_event.values():
        # What one event carries from one of these places to another neither came nor went.
        came += max(change, 0)
        away += max(-change, 0)
    gone = (("Carried away", away),) if away else ()
    return ("Received or brought here", came), *_said(states), *gone


def _said(states: dict[str, int]) -> Iterator[tuple[str, int]]:
    return ((state.capitalize(), count) for state, count in sorted(states.items()))


def print_record(desk: Desk, act: Act, paper: str, about: str, make: Callable[[Reader, Moment, int], bytes]) -> Printed:
    """Print a record as it stands now, whoever is signed in; ``make`` is told which copy it is."""

    def draw(reader: Reader, moment: Moment) -> _Drawn:
        number = copies(reader, about, paper)
        pdf = make(reader, moment, number)
        pages = desk.papers.page_count(pdf)
        line = {"paper": paper, "about": about, "copy_number": number, "pages": pages}
        return _Drawn(pdf, line, reader.head())

    return _drawn_and_kept(desk, act, about, draw, _same_copy)


def copies(reader: Reader, about: str, paper: str) -> int:
    """Which copy of a paper about something the next print is, from 1 (REGULATION E-13)."""
    return len(reader.printed(about=about, paper=paper)) + 1


def _same_copy(reader: Reader, drawn: "_Drawn") -> bool:
    """Whether nobody has printed the same paper meanwhile."""
    return bool(drawn.line["copy_number"] == copies(reader, drawn.line["about"], drawn.line["paper"]))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A record that was drawn: its bytes, its line in the journal, and the head at its foot."""

    pdf: bytes
    line: dict[str, Any]
    head: views.Head


def _drawn_and_kept(
    desk: Desk,
    act: Act,
    form: object,
    draw: Callable[[Reader, Moment], _Drawn],
    still: Callable[[Reader, _Drawn], bool],
) -> Printed:
    """Draw a record from one reading, so that nobody waits for it, then record the print in a moment.

    ``still`` says in the writing transaction whether what was drawn may be kept; otherwise it is drawn anew there.
    """
    drawn = _drawn(desk, act, draw)

    def build(writer: Writer, moment: Moment) -> Draft:
        found = drawn if drawn is not None and still(writer, drawn) else draw(writer, moment)
        return Draft({"sha256": writer.put_paper(found.pdf), "papers": [found.line], **_foot(found.head)})

    return kept_print(desk, perform(desk, act, "record_printed", form, build))


def _drawn(desk: Desk, act: Act, draw: Callable[[Reader, Moment], _Drawn]) -> _Drawn | None:
    """What is drawn before the act begins; ``None`` where it will be refused or is on record already."""
    with desk.store.read() as reader:
        person = reader.account(act.session.account_id)
        if person is None or reader.event_of_act(act.act_id) is not None:
            return None
        site = site_of(reader)
        now = at_site(desk.clock(), zone_of(site))
        if person.must_change_password or authority_fault(person, "record_printed", now.date()):
            return None
        return draw(reader, Moment(person, site, now, now.date(), ()))


def print_treatment_calendar(desk: Desk, act: Act, subject_number: str) -> Printed:
    """The treatment calendar of a subject as it stands today; anyone signed in may print it."""

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        if reader.subject(subject_number) is None:
            raise Refused(Fault("subject_number", f"Subject {subject_number} is not enrolled."))
        return desk.papers.treatment_calendar(
            TreatmentCalendarPaper(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                product=protocol_of(moment.site, moment.today).study.drug,
                subject_number=subject_number,
                calendar=calendar(desk, reader, subject_number),
                drift=drift_of(desk, reader, subject_number),
                doses=doses_against_plan(
                    reader, protocol_of(moment.site, moment.today).dose_difference.from_percent, subject_number
                ),
                copy_number=copy_number,
            )
        )

    return print_record(desk, act, "treatment calendar", subject_number, make)


def print_medication_error(desk: Desk, act: Act, error_id: str) -> Printed:
    """The report of a medication-error record as it stands now; what nobody knows yet prints as N/A."""

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        report = _error_report(desk, reader, moment, error_record(desk, reader, error_id), copy_number)
        return desk.papers.medication_error_report(report)

    return print_record(desk, act, "medication-error report", error_id, make)


def _error_report(
    desk: Desk, reader: Reader, moment: Moment, record: ErrorRecord, copy_number: int
) -> MedicationErrorReport:
    error, dose, newest = record.line, record.dose, record.newest
    about_day = error.occurred_on or error.found_at.date()
    protocol = protocol_of(moment.site, about_day)
    answers = newest.answers if newest else None
    return MedicationErrorReport(
        stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now, version_on(moment.site, about_day)),
        report_number=error.error_id,
        copy_number=copy_number,
        by_rule=record.by_rule,
        status=error.status,
        opened_at=error.opened_at,
        opened_by=error.opened_by,
        dose_id=error.dose_id,
        subject_number=error.subject_number,
        product=protocol.study.drug,
        course=dose.course if dose else None,
        cycle=dose.cycle if dose else None,
        day=dose.day if dose else None,
        occurred_at=error.occurred_at,
        found_at=error.found_at,
        found_by=error.found_by,
        prescribed_mg=error.prescribed_mg,
        administered_mg=error.administered_mg,
        limit_percent=protocol.dose_difference.from_percent,
        stage=error.stage,
        error_type=error.error_type,
        reached_subject=error.reached_subject,
        stopped_for=error.stopped_for,
        what_happened=error.what_happened,
        questions=()
        if newest is None or answers is None or newest.verdict != "error"
        else tuple(AnsweredQuestion(MERP_QUESTIONS[name], getattr(answers, name)) for name in questions_asked(answers)),
        category=_category_words(newest),
        merp_notice=MERP_NOTICE,
        harm=newest.harm if newest else "",
        cause=newest.cause if newest else "",
        action=(newest.action if newest else "") or error.action,
        preventive_action=newest.preventive_action if newest else "",
        adverse_event=newest.adverse_event if newest else "",
        serious_event=_serious_event(record),
        assessments=tuple(
            AssessmentEntry(
                each.assessed_at,
                each.signed_by,
                each.assessed_by,
                each.verdict,
                each.category.letter if each.category else "",
                each.reason,
            )
            for each in record.assessments
        ),
        told=_told_of(moment.site, protocol, record),
        signatures=tuple(
            signature
            for event in (reader.event(each.event_seq) for each in reversed(record.assessments))
            if event is not None
            for signature in signatures_of(reader, event)
        ),
        corrections=_corrections_of(reader, moment, record),
    )


def _corrections_of(reader: Reader, moment: Moment, record: ErrorRecord) -> tuple[CorrectedEntry, ...]:
    """What was corrected since of the error's entries and of its dose's, oldest first, each once."""
    of_dose = reader.correction_notes(record.line.dose_id) if record.line.dose_id else ()
    notes = sorted((*record.notes, *of_dose), key=lambda note: note.event_seq)
    zone = zone_of(moment.site)
    return tuple(
        dict.fromkeys(
            CorrectedEntry(note.event_seq, note.noted_at.astimezone(zone), note.recorder, note.sentence)
            for note in notes
        )
    )


def _category_words(newest: Assessment | None) -> str:
    """The letter with its words, or why there is none yet."""
    if newest is None:
        return ""
    if newest.category is not None:
        return f"{newest.category.letter} – {newest.category.words}"
    if newest.verdict != "error":
        return "No category: assessed as no error"
    return "Not known yet: a question that decides is open"


def _serious_event(record: ErrorRecord) -> SeriousEvent | None:
    newest = record.newest
    if newest is None or newest.sae is None:
        return None
    sae = newest.sae
    return SeriousEvent(
        sae.reference,
        sae.aware_at,
        sae.fatal_or_life_threatening,
        sae.unexpected_and_related,
        tuple(
            SafetyClock(
                each.clock.name, each.clock.words, each.clock.due_at, each.told_at, each.state, each.clock.section
            )
            for each in record.clocks
        ),
        WORKING_DAYS,
    )


def _told_of(site: views.Site, protocol: Protocol, record: ErrorRecord) -> tuple[Told, ...]:
    """Everybody who was told, then those who usually are and of whom nothing is on record (REGULATION D-18)."""
    names = {
        Recipient.INVESTIGATOR: f"Principal investigator ({site.principal_investigator})",
        Recipient.SUPPORTER: f"Supporter ({protocol.study.supporter})",
        Recipient.IND_OFFICE: protocol.study.sponsor,
        Recipient.IRB: "IRB",
        Recipient.PRESCRIBER: "Prescriber",
        Recipient.OTHER: "Other",
    }
    told = tuple(
        Told(names[Recipient(line.recipient)] + (f": {line.name}" if line.name else ""), line.told_at)
        for line in record.told
    )
    known = {line.recipient for line in record.told}
    usual = (Recipient.INVESTIGATOR, Recipient.SUPPORTER, Recipient.IND_OFFICE, Recipient.IRB)
    return told + tuple(Told(names[each], None) for each in usual if each not in known)


def record_lines(
    reader: Reader, lines: Iterable[views.LedgerLine], known_by: datetime | None = None
) -> Iterator[AccountabilityLine]:
    """Ledger lines as the record prints them, one after the other; those that were corrected say by whom and why.

    With ``known_by`` a correction or a verification recorded later than that is not known yet.
    """
    number, rest, site = 0, iter(lines), site_of(reader)
    while some := list(islice(rest, LINES_TOGETHER)):
        seqs = list({line.event_seq for line in some})
        corrections, marks = reader.corrections(seqs), reader.review_marks(seqs)
        for line in some:
            number += 1
            found, mark = corrections.get(line.event_seq), marks.get(line.event_seq)
            known = found is not None and (known_by is None or found.corrected_at <= known_by)
            if known_by is not None and mark is not None and mark.verified_at and mark.verified_at > known_by:
                mark = None
            printed = record_line(number, line, found if known else None)
            if line.move == "relabel":
                printed = replace(printed, comment=f"{_carried_over(reader, line)}; {line.comment}")
            yield replace(printed, monitor_verified=verified_words(mark, site))


LINES_TOGETHER = 500
"""Lines whose corrections are looked up together."""


def record_line(
    number: int, line: views.LedgerLine, correction: views.CorrectionLine | None = None
) -> AccountabilityLine:
    """One ledger line as the record prints it; what a correction has taken back or relabelled is struck through."""
    on_site = line.balance_available + line.balance_quarantine
    before, after = _in_balance(line.from_state), _in_balance(line.to_state)
    return AccountabilityLine(
        line=number,
        event_at=line.done_at,
        entry_at=line.recorded_at,
        transaction=line.transaction,
        party=line.counterparty,
        subject_initials=line.initials,
        cycle_day=line.cycle_day,
        dose_mg=Decimal(line.dose_mg) if line.dose_mg else None,
        unit_number=unit_ranges(line.units),
        lot=line.lot,
        expires_on=line.expires_on,
        qty_in=line.quantity if after and not before else 0,
        qty_out=line.quantity if before and not after else 0,
        balances=Balances(line.balance_available, line.balance_quarantine, on_site),
        reference=line.reference,
        comment=line.comment,
        recorder=line.recorder,
        verifier=line.verifier,
        monitor_verified="",
        late_entry=line.late_why,
        strength_mg=line.strength_mg,
        corrected=_corrected(correction) if correction is not None and correction.moved_vials else "",
    )


def _carried_over(reader: Reader, line: views.LedgerLine) -> str:
    """Under which label vials stood before their label was corrected, or stand since, and what had become of them."""
    event = reader.event(line.event_seq)
    assert event is not None
    comes = not line.from_state
    labels: dict[str, list[str]] = {}
    for moved in event.content["moves"]:
        if moved["unit_number"] in line.units:
            labels.setdefault(_other_label(moved, before=comes), []).append(moved["unit_number"])
    state = line.to_state or line.from_state
    dispensed = _dispensed(reader, line) if comes and not _in_balance(state) else ""
    counts = " and ".join(
        f"{label} by entry {line.event_seq}: {len(units)} {'vial' if len(units) == 1 else 'vials'}"
        for label, units in labels.items()
    )
    return f"{'brought over from' if comes else 'carried over to'} {counts}, {state}{dispensed}"


def _other_label(moved: dict[str, Any], *, before: bool) -> str:
    """The label of the other side of a correction: the lot, and what else of it is another."""
    other = {name: moved[name if before else f"to_{name}"] for name in ("strength_mg", "lot", "expires_on")}
    strength = f"{other['strength_mg']} mg " if moved["strength_mg"] != moved["to_strength_mg"] else ""
    expiry = (
        f", expiring {say_day(date.fromisoformat(other['expires_on']))},"
        if moved["expires_on"] != moved["to_expires_on"]
        else ""
    )
    return f"{strength}lot {other['lot']}{expiry}"


def _dispensed(reader: Reader, line: views.LedgerLine) -> str:
    """To whom these vials went before, and when; '' for vials that were never dispensed."""
    doses: dict[str, int] = {}
    for unit in line.units:
        life = reader.vial_life(unit)
        assert life is not None
        back = {each.corrects_seq for each in life.lines}
        for each in life.lines:
            if each.transaction == "DISPENSE" and each.event_seq not in back and each.event_seq < line.event_seq:
                words = f"subject {each.counterparty} for dose {each.dose_id} on {say_day(each.done_at)}"
                doses[words] = doses.get(words, 0) + 1
    said = "; ".join(f"{count} dispensed to {words}" for words, count in doses.items())
    return f" ({said})" if said else ""


def _corrected(correction: views.CorrectionLine) -> str:
    """By which entry a line was corrected, by whom, when and why."""
    return (
        f"by entry {correction.event_seq}, {correction.signed_by}, {say_moment(correction.corrected_at)}:"
        f" {correction.why}"
    )


def _in_balance(state: str) -> bool:
    """Whether vials of this state count to the balance on site."""
    return bool(state) and move_table().states[state].on_site in ("available", "quarantine")


def unit_ranges(units: tuple[str, ...]) -> str:
    """Unit numbers, runs shortened to first – last (``V000001L – V000020K``)."""
    runs: list[list[str]] = []
    for unit in units:
        if runs and int(unit[1:7]) == int(runs[-1][-1][1:7]) + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} – {run[-1]}" for run in runs)


def kept_paper(desk: Desk, name: str) -> bytes:
    """A paper's bytes as they were printed; raises ``Refused`` when the store has none of that name."""
    with desk.store.read() as reader:
        pdf = reader.paper(name)
    if pdf is None:
        raise Refused(Fault("", "This paper is not in the store."))
    return pdf
