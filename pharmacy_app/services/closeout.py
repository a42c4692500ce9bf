"""Closing the study's books at the site: what became of every vial, what is still open, and the two signatures.

The books close at zero: every strength and lot received is returned, transferred, destroyed or, with a closed
discrepancy, missing. A vial that still comes after that is received like any other, and opens the books again: see
``docs/decisions/0014``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.counts import CONTAINERS, VIALS, kind_of, states_of
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import GONE_ASTRAY, NEVER_RECEIVED, move_table
from pharmacy_app.services import views
from pharmacy_app.services.counts import explained_losses
from pharmacy_app.services.desk import (
    Act,
    Credentials,
    Desk,
    Draft,
    Moment,
    Signing,
    perform,
    protocol_of,
    zone_of,
)
from pharmacy_app.services.papers import CloseOutReport, CloseOutRow
from pharmacy_app.services.ports import QueryFilter, Reader, VialFilter, Writer
from pharmacy_app.services.printing import Printed, print_record, signatures_of, stamp_of
from pharmacy_app.services.queries import WAITING_FOR_SITE
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.visits import EVERY, NOT_CLOSED

PREFIX = "CLO"
"""How the number of a close-out begins; the rest is its event's place in the journal, as with the other forms."""

NAMED = 6
"""So many numbers an open item names; the others are counted."""

UNDER_WAY = ("ordered", "stopped", "decided", "planned", "verified", "prepared", "released", "administered")
"""Doses in these states are not at their end."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something that keeps the books open: in words, and the page (with what to open there) where it is settled."""

    words: str
    page: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """How the books stand: every strength and lot, what is open, and the last close-out.

    ``reopened`` says that something is open again since the last close-out.
    """

    lines: tuple[views.CloseOutLine, ...]
    open_items: tuple[OpenItem, ...]
    last: views.ClosedOut | None

    @property
    def reopened(self) -> bool:
        """Whether the books were closed once and are not at zero now."""
        return self.last is not None and bool(self.open_items or self.lines != self.last.lines)


def books(reader: Reader) -> Books:
    """How the books stand now."""
    lines = close_out_lines(reader)
    last = next(iter(reader.close_outs()), None)
    return Books(lines, tuple(_open_items(reader, lines)), last)


def close_out_lines(reader: Reader) -> tuple[views.CloseOutLine, ...]:
    """Per strength and lot what became of its vials; what was received is counted apart from the states."""
    states: dict[tuple[Decimal, str], dict[str, int]] = {}
    for stock in reader.stock():
        of_lot = states.setdefault((stock.strength_mg, stock.lot), {})
        of_lot[stock.state] = of_lot.get(stock.state, 0) + stock.vials
    return tuple(
        _line(reader, strength_mg, lot, expires_on, states.get((strength_mg, lot), {}))
        for strength_mg, lot, expires_on in reader.lots()
    )


def _line(reader: Reader, strength_mg: Decimal, lot: str, expires_on: date, now: dict[str, int]) -> views.CloseOutLine:
    never = now.get(NEVER_RECEIVED, 0)
    return views.CloseOutLine(
        strength_mg,
        lot,
        expires_on,
        received=reader.count_vials(VialFilter(strength_mg=strength_mg, lot=lot)) - never,
        returned=now.get("returned", 0),
        transferred=now.get("transferred", 0),
        destroyed=now.get("destroyed", 0),
        missing=sum(now.get(state, 0) for state in GONE_ASTRAY),
        on_site=sum(count for state, count in now.items() if kind_of(state) == VIALS),
        containers=sum(count for state, count in now.items() if kind_of(state) == CONTAINERS),
        never_received=never,
    )


# --- what is open ----------------------------------------------------------------------------------------------


def _open_items(reader: Reader, lines: Sequence[views.CloseOutLine]) -> Iterator[OpenItem]:
    for line in lines:
        if not line.balances:
            yield OpenItem(
                f"{_lot(line)}: {line.received} received, but the states add up to something else. Verify the journal.",
                "monitor",
            )
    yield from _on_site(reader)
    yield from _containers(reader)
    yield from _missing(reader)
    for found in reader.discrepancies(status="open"):
        yield OpenItem(f"Discrepancy {found.number} is not explained: {found.sentence}", "counts", found.number)
    for deviation in reader.deviations(status="open"):
        yield OpenItem(f"Storage deviation {deviation.deviation_id} is not closed.", "storage", deviation.deviation_id)
    for shipment in reader.shipments():
        if shipment.logger_state == "not read" and not _came_never(reader, shipment):
            yield OpenItem(
                f"The temperature logger of shipment {shipment.number} has not been read: read it, and record what it"
                " shows.",
                "receive",
                shipment.number,
            )
    for dose in reader.doses(statuses=UNDER_WAY):
        yield OpenItem(
            f"Dose {dose.dose_id} of subject {dose.subject_number} is {dose.status}: finish or cancel it.",
            "prepare",
            dose.dose_id,
        )
    for error in reader.errors():
        if error.status == "open":
            yield OpenItem(f"Medication error {error.error_id} is not assessed.", "errors", error.error_id)
    for query in reader.queries(QueryFilter(NOT_CLOSED), offset=0, limit=EVERY):
        waits = "the site's answer" if query.status in WAITING_FOR_SITE else "the monitor to close it"
        words = f"The monitor's query {query.number} is {query.status} and waits for {waits}."
        yield OpenItem(words, "monitor", query.number)


def _came_never(reader: Reader, shipment: views.ShipmentLine) -> bool:
    """Whether the receipt of a shipment was a mistake, so that there is no logger to read."""
    of_it = reader.count_vials(VialFilter(shipment_number=shipment.number))
    never = reader.count_vials(VialFilter(shipment_number=shipment.number, state=NEVER_RECEIVED))
    return of_it > 0 and of_it == never


def _on_site(reader: Reader) -> Iterator[OpenItem]:
    for (strength_mg, lot), states in _by_lot(reader, VIALS).items():
        parts = ", ".join(f"{count} {state}" for state, count in states.items())
        yield OpenItem(
            f"{show(strength_mg)} mg lot {lot}: {_vials(sum(states.values()))} unopened on site ({parts}). Return or"
            " transfer them with the supporter's permission (§ 8.2).",
            "vials",
        )


def _containers(reader: Reader) -> Iterator[OpenItem]:
    """Used containers: those not closed in the mg ledger, not accounted for, and not destroyed, each said apart."""
    may = move_table().moves["destroy"].from_states
    for state in states_of(CONTAINERS):
        if state not in may:
            count = reader.count_vials(VialFilter(state=state))
            if count:
                yield OpenItem(f"{_vials(count)} {state} and not closed in the mg ledger: close their dose.", "prepare")
            continue
        for accounted, words, page in (
            (False, "waiting for the monitor's accountability", "monitor"),
            (True, "accounted for by the monitor and not destroyed", "vials"),
        ):
            wanted = VialFilter(state=state, accounted=accounted)
            count = reader.count_vials(wanted)
            if count:
                units = [
                    vial.unit_number
                    for vial in reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=NAMED)
                ]
                yield OpenItem(f"{_containers_count(count)} {state}, {words}: {_some(units, count)}.", page)


def _missing(reader: Reader) -> Iterator[OpenItem]:
    """Missing vials, and lost containers, that no discrepancy closed as such explains."""
    covered = explained_losses(reader)
    last: dict[str, int] = {}
    for event in reader.events_between(("vials_missing",), 0, reader.head().seq + 1):
        if reader.correction(event.seq) is None:
            for moved in event.content["moves"]:
                last.setdefault(moved["unit_number"], event.seq)
    for state in GONE_ASTRAY:
        wanted = VialFilter(state=state)
        count = reader.count_vials(wanted)
        found = reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=count) if count else ()
        for vial in found:
            if (vial.unit_number, last.get(vial.unit_number, 0)) not in covered:
                yield OpenItem(
                    f"Vial {vial.unit_number} ({show(vial.strength_mg)} mg, lot {vial.lot}) is {state} without a closed"
                    " discrepancy: open one under Counts and explain it.",
                    "counts",
                )


def _by_lot(reader: Reader, kind: str) -> dict[tuple[Decimal, str], dict[str, int]]:
    found: dict[tuple[Decimal, str], dict[str, int]] = {}
    for stock in reader.stock():
        if kind_of(stock.state) == kind:
            of_lot = found.setdefault((stock.strength_mg, stock.lot), {})
            of_lot[stock.state] = of_lot.get(stock.state, 0) + stock.vials
    return found


def _lot(line: views.CloseOutLine) -> str:
    return f"{show(line.strength_mg)} mg lot {line.lot}"


def _vials(count: int) -> str:
    return f"{count} vial{'' if count == 1 else 's'}"


def _containers_count(count: int) -> str:
    return f"{count} container{'' if count == 1 else 's'}"


def _some(units: Sequence[str], count: int) -> str:
    more = count - len(units)
    return ", ".join(units) + (f" and {more} more" if more else "")


# --- the act ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CloseOutForm:
    """The pharmacist's word at the end of the study."""

    note: str = ""


def close_out(desk: Desk, act: Act, form: CloseOutForm, own: Credentials, monitor: Credentials) -> Event:
    """Close the study's books, signed by a pharmacist and the monitor; refused while anything is open (A-30).

    The investigator has no account here and signs the printed report in ink.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        note = reading.note(form.note, "note", "The note", longest=500)
        stand = books(writer)
        for item in stand.open_items:
            reading.fault("", item.words, "", "8.2")
        if not stand.lines:
            reading.fault("", "No vial was ever received here: there is nothing to close out.")
        elif stand.last is not None and not stand.reopened:
            reading.fault("", f"The books were closed already, signed by {stand.last.signed_by}.")
        first, second = moment.signers
        if first.account_id != moment.person.account_id or Role.PHARMACIST not in first.roles:
            reading.fault("user_name", "A pharmacist closes the books, signed in with the own account.")
        if Role.MONITOR not in second.roles:
            reading.fault("monitor_user_name", "The supporter's monitor signs second, with the own account.")
        reading.done()
        return Draft({"lines": stand.lines, "note": note}, why=note)

    return perform(
        desk,
        act,
        "study_closed_out",
        form,
        build,
        (Signing(own, "closed the books"), Signing(monitor, "reviewed the close-out", "monitor_password")),
    )


def close_out_number(event_seq: int) -> str:
    """The number of a signed close-out (``CLO-812``)."""
    return f"{PREFIX}-{event_seq}"


def print_close_out(desk: Desk, act: Act, number: str = "") -> Printed:
    """The close-out report with its number; '' prints how the books stand now, unsigned. Anyone signed in may."""
    tidy = number.strip().upper()

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        signed = next((each for each in reader.close_outs() if close_out_number(each.event_seq) == tidy), None)
        event = reader.event(signed.event_seq) if signed else None
        if tidy and (signed is None or event is None):
            raise Refused(Fault("number", f"There is no close-out {tidy}."))
        items: tuple[str, ...] = ()
        if signed is not None and event is not None:
            as_of, lines = signed.closed_at.astimezone(zone_of(moment.site)), signed.lines
            note, signatures = signed.note, signatures_of(reader, event)
        else:
            stand = books(reader)
            as_of, lines, note, signatures = moment.now, stand.lines, "", ()
            items = tuple(item.words for item in stand.open_items)
        return desk.papers.close_out_report(
            CloseOutReport(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                number=tidy,
                copy_number=copy_number if tidy else 1,
                product=protocol_of(moment.site, as_of.date()).study.drug,
                investigator=moment.site.principal_investigator,
                as_of=as_of,
                rows=tuple(
                    CloseOutRow(
                        line.strength_mg,
                        line.lot,
                        line.expires_on,
                        line.received,
                        line.returned,
                        line.transferred,
                        line.destroyed,
                        line.missing,
                        line.on_site,
                        line.containers,
                        line.balances,
                    )
                    for line in lines
                ),
                open_items=items,
                note=note,
                signatures=signatures,
            )
        )

    return print_record(desk, act, "close-out report", tidy or "as it stands", make)
