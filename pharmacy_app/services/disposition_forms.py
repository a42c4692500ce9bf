"""The forms of returns, transfers and destructions: what was signed, printed as often as it is needed (§ 8.2).

A form's number is the event's own: ``RET-``, ``TRF-`` or ``DST-`` and its place in the journal. So every event has
exactly one, nothing is counted twice, and the number leads back to the record.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Moment, protocol_in, version_on, zone_of
from pharmacy_app.services.papers import (
    Accounted,
    Approval,
    Carriage,
    DestroyedVial,
    DestructionRecord,
    ReturnedVial,
    ReturnRecord,
    TransferRecord,
    TransferredLot,
)
from pharmacy_app.services.ports import LedgerFilter, Reader
from pharmacy_app.services.printing import Printed, Tell, print_record, signatures_of, stamp_of, told, unit_ranges

FORM_PREFIXES = {"return": "RET", "transfer": "TRF", "destroy": "DST"}
"""The moves that have a form, and how its number begins."""

_KINDS = {"RET": "vials_returned", "TRF": "vials_transferred", "DST": "vials_destroyed"}
_NUMBER = re.compile(r"(RET|TRF|DST)-([1-9][0-9]{0,17})")

REASONS = {
    "empty": "used",
    "partial": "partial remainder",
    "broken": "damaged",
    "returned by subject": "returned by subject",
}
"""Why a container of this state is destroyed, in the words of the form (REGULATION 6.4)."""


def form_number(move_name: str, event_seq: int) -> str:
    """The number of an event's form (``RET-42``); raises ``KeyError`` for a move that has none."""
    return f"{FORM_PREFIXES[move_name]}-{event_seq}"


def print_form(desk: Desk, act: Act, number: str, tell: Tell | None = None) -> Printed:
    """Print the form of a return, a transfer or a destruction; anyone signed in may, copies after the first say so.

    ``tell`` hears how many of its vials were looked up and may raise to stop it.
    """
    tidy = number.strip().upper()

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        event = _event_of(reader, tidy)
        form = _Form(desk, reader, moment, event, tidy, copy_number, tell)
        papers = desk.papers
        draw: dict[str, Callable[[], bytes]] = {
            "vials_returned": lambda: papers.return_record(form.return_record()),
            "vials_transferred": lambda: papers.transfer_record(form.transfer_record()),
            "vials_destroyed": lambda: papers.destruction_record(form.destruction_record()),
        }
        return draw[event.kind]()

    return print_record(desk, act, "disposition form", tidy, make)


def _event_of(reader: Reader, number: str) -> views.EventLine:
    found = _NUMBER.fullmatch(number)
    event = reader.event(int(found[2])) if found else None
    if found is None or event is None or event.kind != _KINDS[found[1]]:
        raise Refused(
            Fault(
                "number",
                f"There is no form {number or 'without a number'}. Choose the return, transfer or destruction in the"
                " vial's life or in the ledger.",
                "R55",
                "8.2",
            )
        )
    return event


class _Form:
    """The values of one form, gathered from its event and from what the record says of its vials."""

    def __init__(
        self,
        desk: Desk,
        reader: Reader,
        moment: Moment,
        event: views.EventLine,
        number: str,
        copy_number: int,
        tell: Tell | None,
    ) -> None:
        self.reader = reader
        self.event = event
        self.content: Any = event.content
        self.site = moment.site
        self.done_at = event.done_at.astimezone(zone_of(moment.site))
        version = version_on(moment.site, self.done_at.date())
        self.study = protocol_in(version).study
        self.stamp = stamp_of(desk, reader, moment.person.printed_name, moment.now, version)
        self.number = number
        self.copy_number = copy_number
        self.before = {moved["unit_number"]: moved["from_state"] for moved in self.content["moves"]}
        self.vials = [_known(reader, each) for each in told(sorted(self.before), len(self.before), tell)]
        self.signatures = signatures_of(reader, event)

    def return_record(self) -> ReturnRecord:
        return ReturnRecord(
            stamp=self.stamp,
            record_number=self.number,
            copy_number=self.copy_number,
            product=self.study.drug,
            investigator=self.site.principal_investigator,
            pharmacy_phone=self.site.pharmacy_phone,
            depot=self.content["party"],
            approval=self._approval(),
            monitors=tuple(
                account.printed_name
                for account in self.reader.accounts()
                if account.active and Role.MONITOR in account.roles
            ),
            carriage=self._carriage(),
            shipped_at=self.done_at,
            reason=self.content["reason"],
            note=self.content["note"],
            vials=tuple(
                ReturnedVial(
                    vial.unit_number,
                    vial.kit_number,
                    vial.strength_mg,
                    vial.lot,
                    vial.expires_on,
                    vial.hold_reason,
                    self.before[vial.unit_number],
                )
                for vial in self.vials
            ),
            packed_by=self.signatures[0].printed_name,
            signatures=self.signatures,
            taken_back=self._taken_back(),
        )

    def transfer_record(self) -> TransferRecord:
        lots: dict[tuple[Decimal, str, date], list[Vial]] = {}
        for vial in self.vials:
            lots.setdefault((vial.strength_mg, vial.lot, vial.expires_on), []).append(vial)
        return TransferRecord(
            stamp=self.stamp,
            record_number=self.number,
            copy_number=self.copy_number,
            product=self.study.drug,
            investigator=self.site.principal_investigator,
            places=tuple(dict.fromkeys(vial.place for vial in self.vials)),
            to_site=self.content["party"],
            approval=self._approval(),
            carriage=self._carriage(),
            sent_at=self.done_at,
            sent_by=self.signatures[0].printed_name,
            reason=self.content["reason"],
            note=self.content["note"],
            lots=tuple(
                TransferredLot(strength_mg, lot, expires_on, _kits(vials), len(vials))
                for (strength_mg, lot, expires_on), vials in sorted(lots.items())
            ),
            signatures=self.signatures,
            taken_back=self._taken_back(),
        )

    def destruction_record(self) -> DestructionRecord:
        dispensed = self._dispensed()
        residual_mg = {
            line.unit_number: line.residue_mg
            for dose_id in {vial.dose_id for vial in self.vials if vial.dose_id}
            for line in self._mg_of(dose_id)
        }
        destroyed_by, witnessed_by = (signature.printed_name for signature in self.signatures)
        return DestructionRecord(
            stamp=self.stamp,
            record_number=self.number,
            copy_number=self.copy_number,
            product=self.study.drug,
            investigator=self.site.principal_investigator,
            approval=self._approval(),
            accounted=self._accounted(),
            destroyed_at=self.done_at,
            method=self.content["method"],
            container=self.content["container"],
            certificate=self.content["certificate"],
            note=self.content["note"],
            vials=tuple(
                DestroyedVial(
                    vial.unit_number,
                    vial.kit_number,
                    vial.strength_mg,
                    vial.lot,
                    vial.expires_on,
                    self.before[vial.unit_number],
                    dispensed.get(vial.unit_number, ""),
                    residual_mg.get(vial.unit_number),
                    REASONS[self.before[vial.unit_number]],
                )
                for vial in self.vials
            ),
            destroyed_by=destroyed_by,
            witnessed_by=witnessed_by,
            signatures=self.signatures,
            taken_back=self._taken_back(),
        )

    def _mg_of(self, dose_id: str) -> Sequence[views.MgLine]:
        thread = self.reader.dose(dose_id)
        return thread.mg if thread else ()

    def _dispensed(self) -> dict[str, str]:
        """Subject, dose and line of the strength's accountability record on which each vial was dispensed."""
        wanted = set(self.before)
        found = {}
        for strength_mg in sorted({vial.strength_mg for vial in self.vials}):
            lines = self.reader.whole_ledger(LedgerFilter(strength_mg=strength_mg, record_only=True))
            for number, line in enumerate(lines, start=1):
                if line.transaction == "DISPENSE":
                    words = f"{line.counterparty}, {line.dose_id}, line {number}"
                    found.update(dict.fromkeys(wanted.intersection(line.units), words))
        return found

    def _taken_back(self) -> str:
        """By which entry, whom, when and why the act was taken back, '' while it stands."""
        correction = self.reader.correction(self.event.seq)
        if correction is None:
            return ""
        at = correction.corrected_at.astimezone(zone_of(self.site))
        return f"by entry {correction.event_seq}, {correction.signed_by}, {say_moment(at)}: {correction.why}"

    def _accounted(self) -> tuple[Accounted, ...]:
        """Who did the accountability by which these containers were destroyed and when, oldest first.

        One that was taken back, or done anew since, is none.
        """
        before = self.reader.events_between(("vials_accounted",), 0, self.event.seq)
        undone = self.reader.corrections([event.seq for event in before])
        waiting, found = set(self.before), []
        for event in before:
            units = set(event.content["unit_numbers"])
            if event.seq in undone:
                taken_back = self.reader.event(undone[event.seq].event_seq)
                assert taken_back is not None  # the journal has it
                units -= set(taken_back.content["unit_numbers"])
            if not waiting.isdisjoint(units):
                waiting -= units
                found.append(Accounted(event.actor_name, event.done_at.astimezone(zone_of(self.site)).date()))
        return tuple(dict.fromkeys(reversed(found)))

    def _approval(self) -> Approval:
        document = self.reader.document(self.content["permission"])
        assert document is not None  # The act was refused without it, and documents stay.
        return Approval(f"{document.document_id} {document.title}", document.signed_by, document.dated_on)

    def _carriage(self) -> Carriage:
        carrier = self.content["carrier"]
        return Carriage(
            carrier["courier"],
            carrier["tracking_number"],
            carrier["packages"],
            carrier["seal"],
            carrier["logger_serial"],
        )


def _known(reader: Reader, unit_number: str) -> Vial:
    vial = reader.vial(unit_number)
    assert vial is not None  # A vial that moved is never taken out of the record.
    return vial


def _kits(vials: Sequence[Vial]) -> str:
    kits = ", ".join(vial.kit_number for vial in vials if vial.kit_number)
    return unit_ranges(tuple(vial.unit_number for vial in vials)) + (f"; kits {kits}" if kits else "")
