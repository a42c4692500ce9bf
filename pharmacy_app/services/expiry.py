"""A lot's expiry extended by the supporter: old and new date kept, signed, every vial of the lot relabelled (§ 8.2).

Nothing is usable longer because somebody says so: the supporter's document is attached, and the act names it
(REGULATION A-21).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.units import show, show_mg
from pharmacy_app.domain.vials import NEVER_RECEIVED, STRENGTHS_MG
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Credentials, Desk, Draft, Moment, Signing, perform
from pharmacy_app.services.documents import EXPIRY_EXTENSION, SUPPORTERS_PERMISSION
from pharmacy_app.services.permissions import supporters_word
from pharmacy_app.services.ports import Reader, VialFilter, Writer
from pharmacy_app.services.reading import Reading

DOCUMENT_KINDS = (SUPPORTERS_PERMISSION, "letter")
"""The kinds of document by which the supporter extends an expiry."""


@dataclass(frozen=True, slots=True)
class ExpiryForm:
    """A lot's new expiry as typed; ``document`` is the number of the attached permission or letter."""

    strength_mg: str
    lot: str
    new_expiry: str
    document: str


def extend_expiry(desk: Desk, act: Act, form: ExpiryForm, own: Credentials) -> Event:
    """Extend a lot's expiry; refused for a date not later than the one in force, or without the document.

    The document speaks of all vials of the lot, is signed, and is not older than the one that extended the lot before:
    that one it would not have known of.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        strength = Decimal(
            reading.choice(form.strength_mg, "strength_mg", "The strength", tuple(show(each) for each in STRENGTHS_MG))
        )
        lot = reading.number(form.lot, "lot", "The lot", longest=20).upper()
        old_on = expiry_of(writer, strength, lot)
        new_on = reading.expiry(form.new_expiry, "new_expiry")
        if old_on is None:
            reading.fault("lot", f"No lot {lot} of {show_mg(strength)} vials was ever received.", "R55", "8.2")
        elif new_on <= old_on:
            reading.fault(
                "new_expiry",
                f"Lot {lot} counts through {say_day(old_on)}; {say_day(new_on)} is not later. Look at the document"
                " again.",
                "A40",
                "8.2",
            )
        wanted = VialFilter(strength_mg=strength, lot=lot)
        count = writer.count_vials(wanted)
        vials = writer.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count)
        document = supporters_word(
            reading,
            writer,
            form.document,
            [vial for vial in vials if vial.state != NEVER_RECEIVED],
            done_on=moment.today,
            rule="A40",
            purpose=EXPIRY_EXTENSION,
            field="document",
            kinds=DOCUMENT_KINDS,
            # It puts no vial back to use: what was quarantined after it was written is no matter of it.
            knows_of_quarantine=False,
        )
        if document is not None:
            _newer_than_the_last(reading, writer, document, strength, lot)
        if moment.signers[0].account_id != moment.person.account_id:
            reading.fault("user_name", f"Sign with your own account: {moment.person.printed_name} is signed in here.")
        reading.done()
        assert document is not None
        return Draft(
            {
                "strength_mg": strength,
                "lot": lot,
                "old_on": old_on,
                "new_on": new_on,
                "document_id": document.document_id,
                "unit_numbers": [vial.unit_number for vial in vials],
            }
        )

    return perform(
        desk, act, "expiry_extended", form, build, (Signing(own, "extended the expiry by the supporter's document"),)
    )


def _newer_than_the_last(
    reading: Reading, reader: Reader, document: views.DocumentLine, strength_mg: Decimal, lot: str
) -> None:
    for last in standing_extensions(reader, strength_mg, lot)[:1]:
        before = reader.document(last.document_id)
        if before is not None and document.dated_on < before.dated_on:
            reading.fault(
                "document",
                f"Document {document.document_id} is of {say_day(document.dated_on)}. Lot {lot} was extended to"
                f" {say_day(last.new_on)} by {before.document_id} of {say_day(before.dated_on)} since, which it cannot"
                " have known of. Choose the newer one.",
                "A40",
                "8.2",
            )


def extension_documents(reader: Reader) -> tuple[views.DocumentLine, ...]:
    """The attached documents by which an expiry may be extended, newest first."""
    return tuple(document for document in reader.documents() if document.kind in DOCUMENT_KINDS)


def expiry_of(reader: Reader, strength_mg: Decimal, lot: str) -> date | None:
    """The last usable day of a lot as it counts now, ``None`` for a lot that never came."""
    return next((on for strength, known, on in reader.lots() if (strength, known) == (strength_mg, lot)), None)


def standing_extensions(reader: Reader, strength_mg: Decimal, lot: str) -> tuple[views.ExpiryExtension, ...]:
    """The extensions of a lot that were not taken back, newest first."""
    return tuple(
        each
        for each in reader.expiry_extensions()
        if (each.strength_mg, each.lot) == (strength_mg, lot) and each.undone_seq is None
    )


def printed_expiry(reader: Reader, strength_mg: Decimal, lot: str, printed_on: date) -> tuple[date, str]:
    """The expiry that counts for vials of a lot with this date printed on them, and what is noted of it.

    A later shipment of an extended lot may carry the date from before the extension; any other date is its own.
    """
    mine = standing_extensions(reader, strength_mg, lot)
    if printed_on not in {each.old_on for each in mine}:
        return printed_on, ""
    newest = mine[0]
    return newest.new_on, (
        f"lot {lot}: printed {say_day(printed_on)}, extended to {say_day(newest.new_on)} by {newest.document_id}"
    )


@dataclass(frozen=True, slots=True)
class RelabelForm:
    """Vials whose labels were given the extended expiry by hand."""

    unit_numbers: tuple[str, ...]
    note: str = ""


def record_relabelled(desk: Desk, act: Act, form: RelabelForm) -> Event:
    """Record that the extended expiry was written on the labels of these vials by hand."""

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        note = reading.note(form.note, "note", "The note", longest=300)
        waiting = {vial.unit_number for vial in writer.to_relabel()}
        numbers = tuple(dict.fromkeys(form.unit_numbers))
        if not numbers:
            reading.fault("unit_numbers", "No vial is chosen. Choose those whose labels were renewed.")
        for number in numbers:
            if number not in waiting:
                reading.fault("unit_numbers", f"The label of vial {number} has no date to be renewed.")
        reading.done()
        return Draft({"unit_numbers": numbers, "note": note}, why=note)

    return perform(desk, act, "vials_relabelled", form, build)
