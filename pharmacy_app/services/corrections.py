"""Corrections: once for each entry, with a reason, the old values and the new ones, signed.

One table says for every kind of entry what a correction of it takes and does, or which way is open instead. The
corrected entry is never changed: it stays readable, and wherever it is shown it is shown struck through.
"""

from dataclasses import dataclass

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused, refuse_any
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import authority_fault
from pharmacy_app.services import views
from pharmacy_app.services.correcting import NOTHING_CHANGED, Case, Field, Way
from pharmacy_app.services.corrections_doses import DOSE_WAYS
from pharmacy_app.services.corrections_stock import STOCK_WAYS
from pharmacy_app.services.desk import Act, Credentials, Denied, Desk, Draft, Moment, Signing, perform, site_of, zone_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

WAYS: dict[str, Way] = {kind: way for way in (*STOCK_WAYS, *DOSE_WAYS) for kind in way.kinds}
"""How an entry of each kind is corrected."""

_CANCEL = "Cancel the dose with the reason, and order it again."
_WITHDRAW = "Withdraw the statement with the reason, on the subject's page, and state it anew."
_AGAIN = "Record it again as it really was: the newest entry counts."

INSTEAD: dict[str, str] = {
    "move_undone": "This entry took a move back. If the move was right after all, record it again.",
    "accountability_undone": "Account for the containers again.",
    "period_signed": "A signed period stays as it was signed. What is found later is entered now, with its real time in"
    " words.",
    "visit_planned": "A visit that is not held stays planned. Plan another one.",
    "visit_opened": "Sign the visit, with what happened in its summary.",
    "entries_verified": "Open a query on what is not right after all.",
    "visit_signed": "A signed visit stays as it was signed. Plan another one.",
    "query_opened": "Close the query with the reason, and open the right one.",
    "query_answered": "The monitor gives the query back, and it is answered again.",
    "query_returned": "Answer the query, or close it.",
    "query_closed": "Open a new query.",
    "dose_ordered": _CANCEL,
    "dose_decided": "Decide the dose again; if vials are reserved, cancel it and order it again.",
    "vials_reserved": "Cancel the dose: its vials go back to usable stock.",
    "dose_verified": "Cancel the dose; a check that did not agree is simply made again.",
    "dose_released": "Cancel the dose if the bag was not given; if it was, record what was given.",
    "dose_cancelled": "A cancelled dose stays cancelled. Order it again.",
    "document_attached": "Attach the right document: it gets a number of its own.",
    "settings_signed": "Sign the right settings anew, each with its source.",
    "protocol_amended": "Sign the right version of the protocol as a further amendment.",
    "medication_error_recorded": "Assess the record: an assessment says what was no error, and the newest one counts.",
    "medication_error_assessed": "Assess the record again: the newest assessment counts.",
    "medication_error_told": "Record who was told once more, with the right time.",
    "paper_printed": "Print it again; the copy is marked as a reprint.",
    "print_answered": "A label that is not there after all is voided, with the reason; one that is there is scanned"
    " back, or printed again.",
    "label_voided": "A void label stays void. Print the label again, and scan it back.",
    "labels_scanned": "Void the label with the reason: what it stands on waits until a new label is printed and"
    " scanned back.",
    "printer_set": "Set the printer again: the newest setting counts.",
    "record_printed": "Print it again.",
    "subject_exported": "Export the subject again.",
    "data_exported": "Export it again, under another name.",
    "account_added": "Change the account under Settings; an account is disabled, never deleted.",
    "account_changed": "Change the account again under Settings.",
    "place_added": "Close the place while it is empty, and add the right one.",
    "place_closed": "Add the place again under a name of its own.",
    "extension_undone": "If the extension was right after all, record it again with the supporter's document.",
    "logger_read": "Correct the receipt of its shipment: the logger's readings are put right there.",
    "count_recorded": "Count again: both counts stay, and the newest one counts.",
    "discrepancy_explained": "Open a discrepancy anew from a further count.",
    "deviation_recorded": "Update the deviation with what was found; its vials are released by document.",
    "deviation_updated": "Update the deviation once more: the newest facts count.",
    **dict.fromkeys(
        (
            "cycle_planned",
            "delay_recorded",
            "dose_omitted",
            "level_changed",
            "response_recorded",
            "marrow_recorded",
            "toxicity_recorded",
            "treatment_ended",
            "retreatment_ordered",
            "transplant_stated",
            "criteria_recorded",
        ),
        _WITHDRAW,
    ),
    "statement_withdrawn": "State it anew.",
}
"""Which way is open for an entry that is not corrected."""


@dataclass(frozen=True, slots=True)
class Correctable:
    """One entry as a person is shown it before correcting it.

    ``why_not`` are the sentences for which it cannot be corrected now, empty when it can; ``correction`` is the one it
    has already. ``preview`` says what is changed where there is no value to type. ``act`` is the kind of event that the
    correction would be, '' for none. ``second_person``: what changes stock is signed by two.
    """

    seq: int
    title: str
    says: str
    fields: tuple[Field, ...]
    preview: tuple[views.ChangedValue, ...]
    act: str
    second_person: bool
    why_not: tuple[str, ...]
    correction: views.CorrectionLine | None


@dataclass(frozen=True, slots=True)
class CorrectForm:
    """A correction of one entry: why, and the values as they are right; a value that is not named stays."""

    seq: int
    why: str
    values: tuple[tuple[str, str], ...] = ()


def correctable(reader: Reader, seq: int) -> Correctable:
    """What correcting an entry takes, or why it cannot be corrected; raises ``Refused`` when there is no such entry."""
    event = _event(reader, seq)
    zone = zone_of(site_of(reader))
    correction = reader.correction(seq)
    way = WAYS.get(event.kind)
    faults = _in_the_way(reader, event)
    return Correctable(
        seq,
        f"{(way.title if way else '') or event.kind.replace('_', ' ').capitalize()}, entry {seq} by {event.actor_name},"
        f" {say_moment(event.done_at.astimezone(zone))}",
        way.says if way else "",
        way.fields(reader, event, zone) if way else (),
        way.preview(reader, event) if way and not faults else (),
        way.act if way else "",
        way.second_person if way else False,
        tuple(fault.sentence for fault in faults),
        correction,
    )


def correct(desk: Desk, act: Act, form: CorrectForm, own: Credentials, second: Credentials | None = None) -> Event:
    """Correct one entry, once. What changes stock is signed by a second person too.

    Raises ``Refused`` when the entry was corrected already, when something stands in the way, when nothing would
    change, and with every fault of the typed values beside its field.
    """
    with desk.store.read() as reader:
        event = _event(reader, form.seq)
        way = WAYS.get(event.kind)
        if way is None:
            raise Refused(_instead(event))
    signings = [Signing(own, "corrected the entry")]
    if way.second_person:
        if second is None:
            raise Refused(Fault("witness_user_name", "What changes stock takes a second person. Ask one to sign."))
        signings.append(Signing(second, "checked the correction", "witness_password"))

    def build(writer: Writer, moment: Moment) -> Draft:
        return _build(way, writer, moment, form)

    return perform(desk, act, way.act, form, build, tuple(signings))


def _build(way: Way, writer: Writer, moment: Moment, form: CorrectForm) -> Draft:
    event = _event(writer, form.seq)
    # Nobody corrects what they may not record.
    fault = authority_fault(moment.person, event.kind, moment.today)
    if fault:
        raise Denied(fault)
    refuse_any([*_in_the_way(writer, event)])
    zone = zone_of(moment.site)
    reading = Reading()
    why = reading.text(form.why, "why", "The reason", longest=500)
    _signed_by(reading, moment)
    fields = {each.name: each for each in way.fields(writer, event, zone)}
    new = {name: value for name, value in form.values if name in fields}
    strange = dict(form.values).keys() - fields.keys()
    for name in strange:
        reading.fault(name, "This entry has no such value. Open the correction again.")
    changes = tuple(
        views.ChangedValue(each.label, each.old, new[name].strip())
        for name, each in fields.items()
        if name in new and not each.aside and new[name].strip() != each.old
    )
    if any(not each.aside for each in fields.values()) and not changes and not strange:
        reading.fault("", NOTHING_CHANGED)
    typed = {name: new.get(name, each.old) for name, each in fields.items()}
    if reading.faults:
        reading.done()
    outcome = way.build(Case(writer, moment, zone, event, typed, why, reading))
    reading.done()
    return Draft(
        {
            "corrects": form.seq,
            "changes": [*changes, *outcome.changes],
            "notes": [{"about": about, "sentence": sentence} for about, sentence in outcome.notes],
            **outcome.content,
        },
        why=why,
    )


def _event(reader: Reader, seq: int) -> views.EventLine:
    event = reader.event(seq)
    if event is None:
        raise Refused(Fault("", f"There is no entry {seq} in the journal."))
    return event


def _in_the_way(reader: Reader, event: views.EventLine) -> tuple[Fault, ...]:
    done = reader.correction(event.seq)
    zone = zone_of(site_of(reader))
    if done is not None:
        again = " Correct that one, if it is wrong." if done.kind in WAYS else ""
        return (
            Fault(
                "",
                f"Entry {event.seq} was corrected on {say_moment(done.corrected_at.astimezone(zone))} by"
                f" {done.signed_by}, entry {done.event_seq}: an entry is corrected once.{again}",
                "",
                "8.2",
            ),
        )
    way = WAYS.get(event.kind)
    return (_instead(event),) if way is None else way.in_the_way(reader, event, zone)


def _instead(event: views.EventLine) -> Fault:
    return Fault("", f"This entry is not corrected. {INSTEAD.get(event.kind, _AGAIN)}")


def _signed_by(reading: Reading, moment: Moment) -> None:
    first, *others = moment.signers
    if first.account_id != moment.person.account_id:
        reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
    for other in others:
        if other.account_id == first.account_id or other.printed_name == first.printed_name:
            reading.fault("witness_user_name", "The second person is another one. Ask somebody who knows of it.")


def history_of(reader: Reader, seq: int) -> tuple[views.CorrectionLine, ...]:
    """The corrections that have led to an entry as it stands, newest first; none for an entry that is the first."""
    found = []
    while (line := reader.correction_made_by(seq)) is not None:
        found.append(line)
        seq = line.corrects_seq
    return tuple(found)


def may_correct(kind: str) -> bool:
    """Whether entries of a kind are ever corrected, so that a page offers it."""
    return kind in WAYS
