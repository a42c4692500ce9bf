"""What becomes of the demonstration's vials: counted, carried, warmed, lost, sent away, destroyed, put right on paper.

Like everything of the demonstration, each act goes through the pharmacy's own services.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pharmacy_app.demo_acts import PEOPLE, DemoDay, vials_of
from pharmacy_app.domain.counts import VIALS, states_of
from pharmacy_app.domain.logger_files import Answers
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.counts import CountForm, ExplainForm, begin_count, explain_discrepancy, record_count
from pharmacy_app.services.disposition import (
    AccountForm,
    CarrierTyped,
    DestroyForm,
    LossForm,
    ReturnForm,
    TransferForm,
    account_for,
    break_vials,
    destroy_vials,
    return_vials,
    transfer_vials,
)
from pharmacy_app.services.documents import (
    DESTRUCTION,
    EXPIRY_EXTENSION,
    RETURN,
    SUPPORTERS_PERMISSION,
    TRANSFER,
    USE,
    DocumentForm,
    attach_document,
)
from pharmacy_app.services.expiry import ExpiryForm, RelabelForm, extend_expiry, record_relabelled
from pharmacy_app.services.exposures import MUST_NOT_BE_USED
from pharmacy_app.services.periods import PeriodForm, sign_period
from pharmacy_app.services.ports import VialFilter
from pharmacy_app.services.printing import RecordForm, print_accountability_record
from pharmacy_app.services.receipts import AcknowledgeForm, LoggerForm, acknowledge_receipt, logger_read
from pharmacy_app.services.stock import PermissionForm, QuarantineForm, quarantine, release_with_document
from pharmacy_app.services.storage import (
    BY_HAND,
    FROM_FILE,
    DecisionForm,
    DeviationForm,
    ReportForm,
    UpdateForm,
    close_deviation,
    decide_deviation,
    record_deviation,
    report_deviation,
    update_deviation,
)
from pharmacy_app.services.storage_report import print_deviation
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.transport import AT_2_TO_8, TransportForm, transport

SUPPORTER = "Alex Brandt"
"""The made-up person who signs for the supporter."""

DEPOT = "Supporter's distribution center"

# --- documents --------------------------------------------------------------------------------------------------


def letter_pdf(title: str, lines: Sequence[str]) -> bytes:
    """A one-page PDF that says these lines, and that it is made up; ASCII text alone."""
    shown = (title, "", *lines, "", "MADE-UP DOCUMENT OF THE DEMONSTRATION. NOT A REAL LETTER.")
    escaped = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in shown)
    text = "BT /F1 11 Tf 72 720 Td 16 TL\n" + "\n".join(f"({line}) '" for line in escaped) + "\nET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
    )
    out, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        starts.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("ascii")
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF\n".encode("ascii")


def attach(
    day: DemoDay,
    kind: str,
    title: str,
    lines: Sequence[str],
    about: str = "",
    signed_by: str = "",
    permits: tuple[str, ...] = (),
) -> str:
    """Attach a made-up PDF; returns the document's number."""
    name = "-".join(title.lower().replace(",", "").split()) + ".pdf"
    form = DocumentForm(title, kind, about, signed_by, day.day(), name, permits)
    event = attach_document(day.desk, day.act("pharmacist"), form, letter_pdf(title, lines))
    return str(event.content["document_id"])


def permit(day: DemoDay, title: str, *lines: str, permits: tuple[str, ...], about: str = "") -> str:
    """Attach a made-up permission of the supporter; returns the document's number."""
    lines = lines or ("We agree to what was asked for in writing. File this letter with the record.",)
    return attach(day, SUPPORTERS_PERMISSION, title, lines, about, SUPPORTER, permits)


# --- shipments --------------------------------------------------------------------------------------------------


def acknowledge(day: DemoDay, number: str) -> None:
    """Tell the supporter that a shipment came."""
    form = AcknowledgeForm(number, DEPOT, f"e-mail with the signed receipt of {number}")
    acknowledge_receipt(day.desk, day.act("technician"), form)


def read_logger_later(day: DemoDay, number: str) -> None:
    """Read a shipment's logger that nobody could read when it came; it shows nothing to hold the vials for."""
    form = LoggerForm(number, f"TL-{number[-4:]}", "no alarm", "3.1", "6.8", "Read with the reader lent by the depot.")
    logger_read(day.desk, day.act("technician"), form)


# --- counts -----------------------------------------------------------------------------------------------------


def _on_the_shelf(day: DemoDay, place: str) -> list[str]:
    """The unit numbers of the unopened vials at a place."""
    units: list[str] = []
    with day.desk.store.read() as reader:
        for state in states_of(VIALS):
            wanted = VialFilter(state=state, place=place)
            limit = reader.count_vials(wanted)
            found = reader.vials(wanted, sort="unit_number", descending=False, offset=0, limit=limit) if limit else ()
            units += [vial.unit_number for vial in found]
    return sorted(units)


def count(day: DemoDay, place: str, *, overlooked: int = 0) -> str:
    """Count a place by scan, so many vials overlooked; returns the discrepancy's number, '' when all agrees."""
    with day.desk.store.read() as reader:
        begun = begin_count(reader)
    codes = _on_the_shelf(day, place)
    day.clock.forward(10)
    form = CountForm(place, begun.begun_seq, codes=tuple(codes[: len(codes) - overlooked]))
    event = record_count(day.desk, day.act("technician"), form, day.sign("technician"), day.sign("checker"))
    return str(event.content["discrepancy"])


def count_and_recount(day: DemoDay, place: str) -> None:
    """A count that overlooks a vial; it is found behind another carton, and the difference is explained by two."""
    discrepancy = count(day, place, overlooked=1)
    day.clock.forward(25)
    count(day, place)
    form = ExplainForm(
        discrepancy,
        "found miscounted",
        "One vial had slid behind the carton on the upper shelf. Found there, scanned, and all counted again.",
    )
    explain_discrepancy(day.desk, day.act("technician"), form, day.sign("technician"), day.sign("pharmacist"))


# --- carried to another place -----------------------------------------------------------------------------------


def carry(day: DemoDay, units: Sequence[str], to_place: str, *, received_by: str = "") -> None:
    """The technician carries vials to another place; at a satellite somebody there signs for them."""
    form = TransportForm(tuple(units), to_place, PEOPLE["technician"], container=AT_2_TO_8)
    transport(day.desk, day.act("technician"), form, day.sign(received_by) if received_by else None)


# --- storage deviations -----------------------------------------------------------------------------------------

_EVERY_MIN = 15
_DOOR_AJAR = (  # quarters of an hour after the start, tenths of a degree
    (0, 44),
    (46, 46),
    (49, 62),
    (53, 88),
    (58, 109),
    (62, 118),
    (64, 97),
    (68, 70),
    (74, 52),
    (96, 45),
)
_COMPRESSOR = (0, 2, 3, 2, 0, -2, -3, -2)
"""How the compressor's coming and going moves the reading, in tenths of a degree."""


def night_with_the_door_ajar(ends_at: datetime) -> bytes:
    """A logger's file of the 24 hours before: the door stands ajar from the evening until it is closed at night."""
    start = ends_at.astimezone(UTC).replace(second=0, microsecond=0) - timedelta(hours=24)
    lines = ["Logger;TL-R1-0417", "Location;Refrigerator 1", "Clock;UTC", "Date/time;Temperature [°C]"]
    for (since, low), (until, high) in pairwise(_DOOR_AJAR):
        for quarter in range(since, until):
            tenths = low + (high - low) * (quarter - since) // (until - since) + _COMPRESSOR[quarter % 8]
            at = start + timedelta(minutes=_EVERY_MIN * quarter)
            lines.append(f"{at:%Y-%m-%d %H:%M};{tenths // 10},{tenths % 10}")
    return ("\n".join(lines) + "\n").encode()


def find_excursion(day: DemoDay) -> str:
    """In the morning the logger's file shows a warm night: recorded, quarantined, reported; returns its number."""
    content = night_with_the_door_ajar(day.clock())
    day.clock.forward(20)
    form = DeviationForm(
        place="Refrigerator 1",
        source=FROM_FILE,
        logger_serial="TL-R1-0417",
        calibration_due=day.day(200),
        discovered_at=day.local(-15),
        discovered_by=PEOPLE["technician"],
        done="Door closed by the night porter at 23:30. All vials of the refrigerator put into quarantine.",
        longest_gap_min="20",
        file_name="refrigerator-1.csv",
        answers=Answers(unit="C"),
    )
    event = record_deviation(day.desk, day.act("technician"), form, content)
    deviation_id = str(event.content["deviation_id"])
    day.clock.forward(30)
    day.papers[f"deviation-{deviation_id}"] = print_deviation(day.desk, day.act("pharmacist"), deviation_id).pdf
    sent = ReportForm(deviation_id, SUPPORTER, "e-mail", day.local(), "The report and the logger's file.")
    report_deviation(day.desk, day.act("pharmacist"), sent)
    return deviation_id


def decide_excursion(day: DemoDay, deviation_id: str, *, usable: Sequence[str]) -> None:
    """The supporter's answer: these lots may be used and are released; everything else of the night goes back."""
    with day.desk.store.read() as reader:
        exposed = [vial for vial in reader.deviation_vials(deviation_id) if vial.quarantined]
    # A vial that was still held was damaged on arrival; the letter speaks of sound ones.
    good = tuple(vial.unit_number for vial in exposed if vial.lot in usable and vial.state_found == "available")
    bad = tuple(vial.unit_number for vial in exposed if vial.unit_number not in good)
    permission = permit(
        day,
        f"Decision on storage deviation {deviation_id}",
        f"Lots {', '.join(usable)}: within the stability data, may be used.",
        "All other vials that lay there: must not be used, to be returned.",
        about=deviation_id,
        permits=(USE, RETURN),
    )
    release_with_document(day.desk, day.act("pharmacist"), PermissionForm(good, permission, "As the letter says."))
    no_more = DecisionForm(deviation_id, bad, MUST_NOT_BE_USED, permission, note="Kept apart until the courier comes.")
    decide_deviation(day.desk, day.act("pharmacist"), no_more)


def end_excursion(day: DemoDay, deviation_id: str) -> None:
    """What must not be used goes back; cause and action are written down and the deviation is closed."""
    units = vials_of(day, "quarantined")
    return_units(day, units, "Permission to return vials of the warm night", "excursion")
    day.clock.forward(60)
    form = UpdateForm(
        deviation_id,
        "The door's catch was worn: a carton kept it from closing, and nobody was in the room until 23:30.",
        "Catch replaced on the same day. The alarm now calls the pharmacist on duty.",
    )
    update_deviation(day.desk, day.act("pharmacist"), form)
    close_deviation(day.desk, day.act("pharmacist"), deviation_id, day.sign("pharmacist"), "Nothing is open any more.")


def find_warm_refrigerator(day: DemoDay, place: str) -> None:
    """A thermometer read by eye stands above the limit: recorded, not yet reported."""
    form = DeviationForm(
        place=place,
        source=BY_HAND,
        logger_serial="TH-R2-0093",
        calibration_due=day.day(90),
        discovered_at=day.local(),
        discovered_by=PEOPLE["technician"],
        done="Vials put into quarantine, the refrigerator set colder, the engineer called.",
        started_at=day.local(-90),
        ended_at=day.local(-10),
        min_temperature="5.2",
        max_temperature="8.6",
        answers=Answers(unit="C"),
    )
    record_deviation(day.desk, day.act("technician"), form)


# --- broken, sent away, destroyed -------------------------------------------------------------------------------


def break_vial(day: DemoDay, unit_number: str, *, hours_ago: int = 0, late_why: str = "") -> None:
    """A technician drops a vial; the pharmacist who saw it signs too, the next morning where it is a late entry."""
    done_at = day.local(-60 * hours_ago) if hours_ago else ""
    why = "Slipped from the tray at the hood and cracked. The spill kit was used."
    form = LossForm((unit_number,), why, done_at, late_why)
    break_vials(day.desk, day.act("technician"), form, day.sign("technician"), day.sign("pharmacist"))


def return_units(day: DemoDay, units: Sequence[str], permission: str, reason: str) -> None:
    """Return vials to the supporter under a permission that is attached first."""
    form = ReturnForm(
        tuple(units),
        permit(day, permission, permits=(RETURN,)),
        DEPOT,
        reason,
        "yes",
        CarrierTyped("Demonstration Courier", "DC-551-207", "1", "S-0417", "TL-9021"),
    )
    return_vials(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"))


def transfer(day: DemoDay, units: Sequence[str], to_site: str) -> None:
    """Transfer vials to another site of the study under the supporter's agreement."""
    form = TransferForm(
        tuple(units),
        permit(day, f"Agreement to a transfer to {to_site}", permits=(TRANSFER,)),
        to_site,
        "A subject begins there before their shipment comes.",
        "yes",
        CarrierTyped("Demonstration Courier", "DC-551-388", "1", "S-0688", "TL-9107"),
    )
    transfer_vials(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"))


def account_for_containers(day: DemoDay) -> tuple[str, ...]:
    """The monitor accounts for every container that waits; returns their unit numbers."""
    units = tuple(unit for state in ("empty", "partial", "broken") for unit in vials_of(day, state))
    form = AccountForm(units, "Counted against the ledger, container by container.")
    account_for(day.desk, day.act("monitor"), form, day.sign("monitor"))
    return units


def destroy(day: DemoDay, units: Sequence[str], certificate: str) -> None:
    """Destroy accounted containers under a permission; the carrier's certificate is attached afterwards."""
    permission = permit(day, f"Permission to destroy used containers on site, {certificate}", permits=(DESTRUCTION,))
    form = DestroyForm(
        tuple(units),
        permission,
        "Incineration as cytotoxic waste",
        "Waste container W-0088",
        f"certificate {certificate}",
    )
    destroy_vials(day.desk, day.act("technician"), form, day.sign("technician"), day.sign("checker"))
    day.clock.forward(60)
    attach(day, "certificate", f"Certificate of destruction {certificate}", (f"{len(units)} containers incinerated.",))


def sign_quarter(day: DemoDay, through: int) -> None:
    """The monitor signs the record through a day so many days ago."""
    form = PeriodForm(day.day(-through), "Read line by line with the pharmacist.")
    sign_period(day.desk, day.act("monitor"), form, day.sign("monitor"))


# --- put right --------------------------------------------------------------------------------------------------


def weigh_wrong(day: DemoDay, number: str, wrong: str, right: str) -> None:
    """A weight whose digits were swapped, corrected before any dose was worked out from it."""
    form = MeasurementForm(number, day.day(), weight=wrong)
    event = record_measurement(day.desk, day.act("technician"), form)
    day.clock.forward(12)
    correction = CorrectForm(event.seq, "Digits swapped on typing; the scale's print says so.", (("weight", right),))
    correct(day.desk, day.act("technician"), correction, day.sign("technician"))


def quarantine_the_wrong_one(day: DemoDay, wrong: str, right: str) -> None:
    """A cracked vial is to be quarantined and its neighbour is scanned; the mistake is taken back by two people."""
    reason = "Hairline crack at the neck, seen while counting."
    event = quarantine(day.desk, day.act("technician"), QuarantineForm((wrong,), reason))
    day.clock.forward(8)
    correction = CorrectForm(event.seq, f"The neighbour was scanned: the crack is in {right}.")
    correct(day.desk, day.act("technician"), correction, day.sign("technician"), day.sign("pharmacist"))
    day.clock.forward(2)
    quarantine(day.desk, day.act("technician"), QuarantineForm((right,), reason))


def extend(day: DemoDay, strength_mg: str, lot: str, new_expiry: str, *, to_do: int) -> None:
    """Extend a lot's expiry by the supporter's letter; all labels but so many are renewed by hand."""
    letter = attach(
        day,
        "letter",
        f"Extension of expiry, lot {lot}",
        (f"New expiry: {new_expiry}.",),
        f"lot {lot}",
        SUPPORTER,
        (EXPIRY_EXTENSION,),
    )
    form = ExpiryForm(strength_mg, lot, new_expiry, letter)
    extend_expiry(day.desk, day.act("pharmacist"), form, day.sign("pharmacist"))
    day.clock.forward(30)
    with day.desk.store.read() as reader:
        waiting = tuple(vial.unit_number for vial in reader.to_relabel())
    done = waiting[: len(waiting) - to_do]
    record_relabelled(day.desk, day.act("technician"), RelabelForm(done, "New date written and initialed by hand."))


def account(day: DemoDay) -> None:
    """Print the accountability record of both strengths, as the monitor does."""
    for strength in ("1", "4"):
        record = print_accountability_record(day.desk, day.act("monitor"), RecordForm(strength))
        day.papers[f"accountability-{strength}-mg"] = record.pdf
