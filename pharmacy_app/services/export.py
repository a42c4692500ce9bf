"""Taking the records away: the ledger, vials, doses and the whole journal as plain files, with their SHA-256.

CSV is UTF-8 after RFC 4180 with ISO dates; a cell that a spreadsheet would take for a formula is made harmless by
a leading apostrophe. The journal's lines are its stored bytes with their hashes: enough to verify it elsewhere.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from pharmacy_app.domain.codec import canonical, to_plain
from pharmacy_app.domain.errors import Fault, Refused, Unavailable
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import authority_fault
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, today_of
from pharmacy_app.services.papers import TreatmentCalendarPaper
from pharmacy_app.services.ports import LedgerFilter, Reader, VialFilter, Writer
from pharmacy_app.services.printing import stamp_of
from pharmacy_app.services.subjects import drift_of
from pharmacy_app.services.treatment import calendar

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_RECORD = "data_exported"
MADE_HARMLESS = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a text begins that gets an apostrophe: as a formula, or with an apostrophe, so that taking one off undoes it."""


def safe_cell(value: object) -> str:
    """A cell's text; one (never a number) that a spreadsheet would run, or that begins with ', gets a ' before it."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return safe_cell(" ".join(str(item) for item in value))
    if isinstance(value, str):
        return f"'{value}" if value.startswith(MADE_HARMLESS) and not _NUMBER.fullmatch(value) else value
    plain = to_plain(value)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file with a header row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _table(kind: type, rows: Iterable[object], *, without: Sequence[str] = ()) -> bytes:
    names = [field.name for field in fields(kind) if field.name not in without]
    return csv_bytes(names, ([getattr(row, name) for name in names] for row in rows))


def _corrections(reader: Reader) -> bytes:
    """Every correction, a row for each value it changed: what it was and what it is."""
    header = ("corrects_seq", "event_seq", "kind", "label", "old", "new", "why", "signed_by", "corrected_at")
    return csv_bytes(
        header,
        (
            (
                line.corrects_seq,
                line.event_seq,
                line.kind,
                change.label,
                change.old,
                change.new,
                line.why,
                line.signed_by,
                line.corrected_at,
            )
            for line in reader.every_correction()
            for change in line.changes
        ),
    )


def export_files(reader: Reader) -> dict[str, bytes]:
    """Every file of an export by name; the last, ``manifest.csv``, lists the others with rows and SHA-256."""
    everything = VialFilter()
    vials = reader.vials(
        everything, sort="unit_number", descending=False, offset=0, limit=reader.count_vials(everything)
    )
    files = {
        "ledger.csv": _table(views.LedgerLine, reader.whole_ledger(LedgerFilter())),
        "vials.csv": _table(Vial, vials),
        "doses.csv": _table(views.DoseLine, reader.doses()),
        "stock.csv": _table(views.StockLine, reader.stock()),
        "medication-errors.csv": _table(views.ErrorLine, reader.errors()),
        "corrections.csv": _corrections(reader),
        "documents.csv": _table(views.DocumentLine, reader.documents()),
        "journal.jsonl": b"".join(
            b'{"event":' + body + b',"hash":"' + name.encode() + b'"}\n' for name, body in reader.journal()
        ),
    }
    head = reader.head()
    rows = [(name, content.count(b"\n"), sha256(content).hexdigest()) for name, content in files.items()]
    rows.append(("journal head", head.seq, head.hash))
    files["manifest.csv"] = csv_bytes(("file", "lines", "sha256"), rows)
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> list[str]:
    """Write files into a new or empty folder; raises ``Unavailable`` when it is neither or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Unavailable(f"The folder {folder} is not empty. Name a new one, so that nothing is overwritten.")
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        # Half an export must not be taken for a whole one.
        for name in files:
            with suppress(OSError):
                (folder / name).unlink(missing_ok=True)
        raise Unavailable(f"The folder {folder} cannot be written ({error.strerror}). Choose another.") from error
    return list(files)


def export_record(desk: Desk, act: Act, folder: Path) -> Event:
    """Write every file of an export into a new or empty folder; the journal keeps who took the record away.

    Unlike a table (``data_export``) this is the whole record: in the journal's stored bytes stand initials and days of
    birth too. Raises ``Refused`` for who may not, ``Unavailable`` when the folder cannot be written; then there is
    neither a file nor an entry. The same act again writes nothing.
    """
    content: dict[str, Any] = {}
    written: list[str] = []
    with desk.store.read() as reader:
        if _may_take(desk, reader, act):
            files, head = export_files(reader), reader.head()
            written = write_files(folder, files)
            content = {
                "what": "everything",
                "format": "folder",
                "file_name": folder.name,
                "files": [
                    {"name": name, "lines": each.count(b"\n"), "sha256": sha256(each).hexdigest()}
                    for name, each in files.items()
                ],
                "size_bytes": sum(map(len, files.values())),
                "de_identified": "no",
                "head_seq": head.seq,
                "head_hash": head.hash,
            }

    def build(_writer: Writer, _moment: Moment) -> Draft:
        if not written:
            raise Refused(Fault("", "Something about your account changed a moment ago. Do it again."))
        return Draft(content)

    try:
        return perform(desk, act, _RECORD, folder.name, build)
    except BaseException:
        for name in written:
            (folder / name).unlink(missing_ok=True)
        raise


def _may_take(desk: Desk, reader: Reader, act: Act) -> bool:
    """Whether files are to be written for an act: not where it will be refused, or is on record already."""
    person = reader.account(act.session.account_id)
    if person is None or person.must_change_password or reader.event_of_act(act.act_id) is not None:
        return False
    return authority_fault(person, _RECORD, today_of(desk, reader)) is None


# --- one subject, to be handed over ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SubjectExport:
    """What was handed over of one subject: the event that says so, and its files by name."""

    event: Event
    files: dict[str, bytes]


def export_subject(desk: Desk, act: Act, subject_number: str) -> SubjectExport:
    """Everything of one subject as a PDF and as data, with the trail of its entries, known by its number alone.

    Neither initials nor a birth date are in any of it; what people typed into notes is left as it is. The journal
    keeps who took what away, each file with its lines and SHA-256 (REGULATION E-02, A-31, X-11).
    """
    number = subject_number.strip().upper()

    def build(writer: Writer, moment: Moment) -> Draft:
        if writer.subject(number) is None:
            raise Refused(Fault("subject_number", f"Subject {number or 'without a number'} is not enrolled."))
        files = _subject_files(desk, writer, moment, number)
        head = writer.head()
        rows = [
            (name, content.count(b"\n") if name.endswith(".csv") else None, writer.put_paper(content))
            for name, content in files.items()
        ]
        manifest = csv_bytes(("file", "lines", "sha256"), (*rows, ("journal head", head.seq, head.hash)))
        rows.append(("manifest.csv", manifest.count(b"\n"), writer.put_paper(manifest)))
        return Draft(
            {
                "subject_number": number,
                "de_identified": "yes",
                "files": [{"name": name, "lines": lines, "sha256": digest} for name, lines, digest in rows],
            }
        )

    event = perform(desk, act, "subject_exported", number, build)
    with desk.store.read() as reader:
        kept = {each["name"]: reader.paper(each["sha256"]) for each in event.content["files"]}
    return SubjectExport(event, {name: content for name, content in kept.items() if content is not None})


def _subject_files(desk: Desk, reader: Reader, moment: Moment, number: str) -> dict[str, bytes]:
    doses = reader.doses(subject_number=number)
    mine = {dose.dose_id for dose in doses}
    calendar_pdf = desk.papers.treatment_calendar(
        TreatmentCalendarPaper(
            stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
            product=protocol_of(moment.site, moment.today).study.drug,
            subject_number=number,
            calendar=calendar(desk, reader, number),
            drift=drift_of(desk, reader, number),
        )
    )
    dispensed = (line for line in reader.whole_ledger(LedgerFilter()) if mine.intersection(line.dose_id.split(", ")))
    statements = (
        (
            line.event_seq,
            line.kind,
            canonical(line.entry).decode(),
            line.recorder,
            line.recorded_at,
            line.why,
            line.withdrawn_seq,
            line.withdrawn_by,
            line.withdrawn_why,
        )
        for line in reader.treatment(number)
    )
    return {
        "treatment-calendar.pdf": calendar_pdf,
        "doses.csv": _table(views.DoseLine, doses),
        "dispensing.csv": _table(views.LedgerLine, dispensed, without=("initials",)),
        "measurements.csv": _table(views.MeasurementLine, reader.measurements(number, corrected=True)),
        "treatment.csv": csv_bytes(
            (
                "event_seq",
                "kind",
                "entry",
                "recorder",
                "recorded_at",
                "why",
                "withdrawn_seq",
                "withdrawn_by",
                "withdrawn_why",
            ),
            statements,
        ),
        "trail.csv": _table(views.EventLine, _trail(reader, number, mine), without=("content", "people")),
    }


def _trail(reader: Reader, number: str, doses: set[str]) -> Iterator[views.EventLine]:
    """The entries of a subject and its doses, oldest first, each with its signatures and its place in the chain."""
    count = reader.count_events(kind="", text="")
    for event in reversed(reader.events(kind="", text="", offset=0, limit=count)):
        content: dict[str, Any] = event.content
        named = {content.get("dose_id"), (content.get("line") or {}).get("dose_id")}
        if content.get("subject_number") == number or doses.intersection(filter(None, named)):
            yield event
