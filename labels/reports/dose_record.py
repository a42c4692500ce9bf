"""The record of one dose: the whole thread from the weight to the destroyed vial, each step with its entry and hash."""

from collections.abc import Sequence
from datetime import datetime

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.dispensing_log import corrected
from labels.reports.frame import SMALL_PT, Column, Frame, Struck
from labels.reports.worksheet import findings_table, steps_table
from labels.text import amount, day, mg, mg_per_ml, ml, moment, reprint_words, signed_percent, working
from pharmacy_app.services.papers_records import DoseRecord, KeptPaper, ThreadEntry

_NOT_YET = "N/A: not done yet"


def dose_record(record: DoseRecord, stock: Stock = LETTER) -> bytes:
    """Draw the whole thread of one dose."""
    dose = record.dose
    parts = (reprint_words(record.copy_number), f"Dose {dose.dose_id}", f"Subject {record.subject_number}")
    frame = Frame(stock, record.stamp, "Dose record", " · ".join(part for part in parts if part), margin=30)
    frame.begin_page()
    _order(frame, record)
    _measured(frame, record)
    frame.section("Calculation")
    if record.steps:
        steps_table(frame, record.steps)
    else:
        frame.paragraph(f"{_NOT_YET}: the dose was not calculated.")
    frame.section("Findings and written decisions")
    findings_table(frame, record.findings)
    frame.paragraph(f"Reason given with the decision: {record.reason or 'N/A: none was asked for'}")
    _made(frame, record)
    _vials(frame, record)
    _papers(frame, "Worksheet, labels and records printed", record.papers)
    _papers(frame, "Documents about this dose", record.documents)
    frame.section("Medication errors")
    for words in record.errors or ("None on record.",):
        frame.paragraph(words)
    frame.section("Corrections")
    if not dose.corrected:
        frame.paragraph("None: every value above is as it was first recorded.")
    for each in dose.corrected:
        corrected(frame, each)
    entries_table(frame, "Every entry of this dose in the journal", record.entries)
    frame.signatures(record.signatures, "Not signed: nobody has calculated, checked or released this dose.")
    return frame.finish()


def _order(frame: Frame, record: DoseRecord) -> None:
    dose = record.dose
    frame.pairs(
        [
            ("Dose", dose.dose_id),
            ("Product", record.product),
            ("Subject", record.subject_number),
            ("Course · cycle · day", f"{record.course} · {dose.cycle} · {dose.day}"),
            ("Dose level", dose.level),
            ("Status", record.status),
            ("Ordered", moment(dose.ordered_at)),
            ("Prescriber", dose.prescriber),
            ("Planned for", day(record.planned_on)),
            ("Prescribed", f"{amount(dose.prescribed_mg)} mg"),
            (
                "Calculated, unrounded",
                _NOT_YET if dose.calculated_mg is None else f"{working(dose.calculated_mg)} mg",
            ),
            (
                "Prescribed vs calculated",
                _NOT_YET if dose.prescribed_percent is None else f"{signed_percent(dose.prescribed_percent)} %",
            ),
            ("BSA formula", record.formula or _NOT_YET),
            ("Decided by protocol version", record.protocol_decided_by or _NOT_YET),
            ("How it ended", dose.ended or _how_it_ended(record)),
        ],
        columns=3,
    )


def _how_it_ended(record: DoseRecord) -> str:
    if record.dose.administered_mg is None:
        return "N/A: still open"
    return "given, its vials closed" if record.status == "closed" else "given; its vials are not closed yet"


def _measured(frame: Frame, record: DoseRecord) -> None:
    frame.section("Height and weight")
    room = frame.room
    columns = [
        Column("What", room * 0.12, font=text.SEMI),
        Column("As typed", room * 0.13),
        Column("Measured on", room * 0.14),
        Column("Recorded", room * 0.23),
        Column("Recorder", room * 0.2),
        Column("For this dose", room * 0.18),
    ]
    rows = []
    for each in record.measured:
        use = "used" if each.used else "not used"
        cells: tuple[str, ...] = (
            each.kind.capitalize(),
            each.typed,
            day(each.measured_on),
            moment(each.recorded_at),
            each.recorder,
        )
        if each.corrected_by:
            cells = tuple(map(Struck, cells))
            use = f"{'used, corrected since' if each.used else 'corrected'} by entry {each.corrected_by}"
        rows.append((*cells, use))
    if rows:
        frame.table(columns, rows)
    else:
        frame.paragraph("None on record.")


def _made(frame: Frame, record: DoseRecord) -> None:
    dose = record.dose
    frame.section("Preparation, release, infusion")
    not_given = "N/A: not given" if dose.ended else _NOT_YET
    limits = "" if dose.final_mg_per_ml is None else f"{mg_per_ml(dose.final_mg_per_ml)} mg/mL"
    frame.pairs(
        [
            ("Checked independently by", dose.verified_by or _NOT_YET),
            ("Prepared by", dose.prepared_by or _NOT_YET),
            ("Reconstituted at", _at(dose.reconstituted_at)),
            ("Withdrawn", _NOT_YET if dose.withdrawn_ml is None else f"{ml(dose.withdrawn_ml)} mL"),
            ("Prepared dose", _NOT_YET if dose.prepared_mg is None else f"{mg(dose.prepared_mg)} mg"),
            (
                "Diluent and final volume",
                _NOT_YET if dose.final_ml is None else f"{dose.diluent}, {amount(dose.final_ml)} mL",
            ),
            ("Final concentration", limits or _NOT_YET),
            ("Beyond-use time", _at(dose.beyond_use_at)),
            ("Released to", dose.released_to or _NOT_YET),
            ("Released at", _at(dose.released_at)),
            ("Infusion start", _at(dose.started_at, not_given)),
            ("Infusion end", _at(dose.ended_at, not_given)),
            ("Administered", not_given if dose.administered_mg is None else f"{mg(dose.administered_mg)} mg"),
            (
                "Administered vs prescribed",
                not_given if dose.administered_percent is None else f"{signed_percent(dose.administered_percent)} %",
            ),
            ("Left in the bag", _NOT_YET if dose.not_given_mg is None else f"{mg(dose.not_given_mg)} mg"),
        ],
        columns=3,
    )
    frame.paragraph(f"Note on the infusion: {' '.join(dose.comments.split()) or 'N/A: nothing to remark'}")


def _vials(frame: Frame, record: DoseRecord) -> None:
    frame.section("Milligrams: labelled = withdrawn + residue + discarded")
    room = frame.room
    if record.milligrams:
        columns = [
            Column("Vial", room * 0.2, font=text.MONO),
            Column("Labelled mg", room * 0.2, "right"),
            Column("Withdrawn mg", room * 0.2, "right"),
            Column("Residue mg", room * 0.2, "right", absent="the vial is not closed yet"),
            Column("Discarded mg", room * 0.2, "right", absent="the vial is not closed yet"),
        ]
        frame.table(
            columns,
            [
                (
                    each.unit_number,
                    mg(each.labelled_mg),
                    mg(each.withdrawn_mg),
                    "" if each.residue_mg is None else mg(each.residue_mg),
                    "" if each.discarded_mg is None else mg(each.discarded_mg),
                )
                for each in record.milligrams
            ],
        )
    else:
        frame.paragraph("No vial was opened.")
    frame.section("The vials of this dose, from receipt to destruction")
    if not record.life:
        frame.paragraph("No vial was taken for this dose.")
        return
    columns = [
        Column("Vial", room * 0.1, font=text.MONO),
        Column("Done", room * 0.13),
        Column("What", room * 0.12, font=text.SEMI),
        Column("From state", room * 0.1, absent="it came here"),
        Column("To state", room * 0.1, absent="it left here"),
        Column("Place", room * 0.115),
        Column("Reference", room * 0.1, absent="no document belongs to it"),
        Column("Recorder", room * 0.1),
        Column("Verifier", room * 0.08, absent="the act takes one person"),
        Column("Entry", room * 0.055, "right"),
    ]
    rows = []
    for line in record.life:
        cells: tuple[str, ...] = (
            line.unit_number,
            moment(line.done_at),
            line.what,
            line.from_state,
            line.to_state,
            line.place,
            line.reference,
            line.recorder,
            line.verifier,
            str(line.entry),
        )
        rows.append(tuple(Struck(cell) if cell else cell for cell in cells) if line.struck else cells)
    frame.table(columns, rows, pad=1.8, size=SMALL_PT)
    struck = [line for line in record.life if line.struck]
    if struck:
        frame.paragraph("Struck through: taken back or put right by a later entry, see the corrections.", size=SMALL_PT)


def _papers(frame: Frame, heading: str, papers: Sequence[KeptPaper]) -> None:
    frame.section(heading)
    if not papers:
        frame.paragraph("None on record.")
        return
    room = frame.room
    columns = [
        Column("What", room * 0.26, font=text.SEMI),
        Column("Number", room * 0.2, font=text.MONO, absent="the paper has none"),
        Column("Date and time", room * 0.2),
        Column("By", room * 0.16),
        Column("SHA-256 begins", room * 0.18, font=text.MONO),
    ]
    frame.table(
        columns,
        [(each.what, each.number, moment(each.at), each.by, each.sha256[:16]) for each in papers],
        pad=1.8,
        size=SMALL_PT,
    )


def entries_table(frame: Frame, heading: str, entries: Sequence[ThreadEntry]) -> None:
    """Entries of the journal with who, when, why, signatures and where in the chain."""
    frame.section(heading)
    room = frame.room
    columns = [
        # Numbers of six digits stay in one piece.
        Column("Entry", room * 0.055, "right"),
        Column("What", room * 0.15, font=text.SEMI),
        Column("Done", room * 0.13),
        Column("Recorded", room * 0.13),
        Column("By", room * 0.115),
        Column("Reason", room * 0.135, absent="none was asked for"),
        Column("Signatures", room * 0.135, absent="the act takes none"),
        Column("SHA-256 begins", room * 0.15, font=text.MONO),
    ]
    frame.table(
        columns,
        [
            (
                str(each.entry),
                each.what,
                moment(each.done_at),
                moment(each.recorded_at),
                each.by,
                " ".join(each.why.split()),
                "; ".join(each.signed),
                each.sha256[:16],
            )
            for each in entries
        ],
        pad=1.8,
        size=SMALL_PT,
    )


def _at(value: datetime | None, absent: str = _NOT_YET) -> str:
    return absent if value is None else moment(value)
