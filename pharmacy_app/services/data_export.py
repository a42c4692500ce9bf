"""Taking data away: a table or a dataset as a file, and the entry of the journal that says who took what.

The file is written beside its place, checked onto the disk and put there whole; only then the journal says so. What
cannot be completed leaves neither a file nor an entry. Nothing that is there already is written over.
"""

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from pharmacy_app.domain.dates import at_site, say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused, Unavailable
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import authority_fault
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services import views
from pharmacy_app.services.cdisc import DATASETS
from pharmacy_app.services.column_maps import ColumnMap, find_map, mapped
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, protocol_of, site_of, version_on, zone_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.study_settings import settings_version
from pharmacy_app.services.table_files import SUFFIXES, About, TableFile, table_file, variable_list
from pharmacy_app.services.tables import TABLES, Column, Row, Table, Wanted

TOLD_EVERY = 500
"""After so many things gone through the one who watches is told."""

Tell = Callable[[int, int], None]
"""Is told how many of how many things were gone through; what it raises stops the export."""

EXPORTS: dict[str, Table] = TABLES | DATASETS
"""Everything that can be taken away, by name: tables of the pharmacy, datasets of the study data model."""


@dataclass(frozen=True, slots=True)
class ExportForm:
    """What is to be taken away, as typed: a table or dataset, 'csv', 'xlsx' or 'json', the new file, and which rows.

    ``column_map`` names a sponsor's map of the table, or the document that holds one; '' takes the columns as they are.
    """

    what: str
    format: str
    path: str
    column_map: str = ""
    from_on: str = ""
    to_on: str = ""
    subject_number: str = ""
    strength_mg: str = ""
    lot: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was taken away: the entry that says so, the files, and what could not be kept in them as it was.

    ``variables`` is the list of variables beside the file; a workbook has it on a sheet of its own.
    """

    event: Event
    path: Path
    variables: Path | None
    rows: int
    sha256: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A form that was read: nothing in it is wrong."""

    table: Table
    format: str
    path: Path
    wanted: Wanted
    by: ColumnMap | None

    @property
    def variables(self) -> Path | None:
        """Where the list of variables goes."""
        return None if self.format == "xlsx" else self.path.with_name(f"{self.path.name}.variables.csv")


def export_data(desk: Desk, act: Act, form: ExportForm, *, tell: Tell | None = None) -> Exported:
    """Take a table or a dataset away as a file, from one reading of the record; the journal keeps who took what.

    Raises ``Refused`` for a form that cannot be read or a name that is taken, ``Unavailable`` when the file cannot be
    written, and whatever ``tell`` raises; then there is neither a file nor an entry. The same act again writes nothing.
    """
    made = _made(desk, act, form, tell)

    def build(_writer: Writer, _moment: Moment) -> Draft:
        if made is None:
            raise Refused(Fault("", "Something about your account changed a moment ago. Do it again."))
        return Draft(made.content)

    try:
        event = perform(desk, act, "data_exported", form, build)
    except BaseException:
        _take_away(made.paths if made is not None else ())
        raise
    content, path = event.content, Path(form.path)
    listed = content["variables"]
    return Exported(
        event,
        path,
        path.with_name(listed["file_name"]) if listed else None,
        content["rows"],
        content["sha256"],
        tuple(content["notes"]),
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """Files that are whole and in their place, and what the journal is to say of them."""

    content: dict[str, Any]
    paths: tuple[Path, ...]


def _made(desk: Desk, act: Act, form: ExportForm, tell: Tell | None) -> _Made | None:
    """Write the files and put them in their place; ``None`` where the act will be refused or is on record already."""
    with desk.store.read() as reader:
        person = reader.account(act.session.account_id)
        if person is None or reader.event_of_act(act.act_id) is not None:
            return None
        site = site_of(reader)
        now = at_site(desk.clock(), zone_of(site))
        if person.must_change_password or authority_fault(person, "data_exported", now.date()):
            return None
        asked = read_form(reader, form)
        moment = Moment(person, site, now, now.date(), ())
        with _trouble_named(asked.path), _folder_beside(asked.path) as folder:
            content, parts = _write(desk, reader, act, asked, moment, folder, tell)
            placed: list[Path] = []
            try:
                for part, path in parts:
                    _put_in_place(part, path)
                    placed.append(path)
                _keep_names(asked.path.parent)
            except BaseException:
                _take_away(placed)
                raise
    return _Made(content, tuple(placed))


def _take_away(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A folder of our own on the disk of the file, gone with all that is in it."""
    if not path.parent.is_dir():
        raise Unavailable(f"The folder {path.parent} is not there. Make it, or choose another.")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def _trouble_named(path: Path) -> Iterator[None]:
    """Trouble of the disk as a sentence."""
    from xlsxwriter.exceptions import XlsxFileError

    try:
        yield
    except FileExistsError:
        raise Refused(_taken(path)) from None
    except (OSError, XlsxFileError) as error:
        cause = error if isinstance(error, OSError) else next(iter(error.args), error)
        number = getattr(cause, "errno", None)
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            sentence = f"There is no room for the file on the disk of {path.parent}. Free some, or choose another disk."
        else:
            why = getattr(cause, "strerror", None) or cause
            sentence = f"The file {path} cannot be written ({why}). Choose another folder, or ask for permission on it."
        raise Unavailable(f"{sentence} Nothing was taken away.") from error


def _taken(path: Path) -> Fault:
    return Fault("path", f"There is a file “{path.name}” already. Choose another name: nothing is written over.")


def _name_fault(path: Path) -> Fault | None:
    """Whether there is such a file already, or none can have that name."""
    try:
        path.lstat()
    except ValueError:
        return Fault("path", "The name of the file has a character that no name can have. Choose another name.")
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            return None
        return Fault(
            "path", f"The file, or its list of variables, cannot have this name ({error.strerror}). Shorten it."
        )
    return _taken(path)


def _put_in_place(made: Path, path: Path) -> None:
    """Give a complete file its name; refused where a file is, also where one came up a moment ago."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:
        # Disks without links (a memory stick's): the name is taken first, then filled.
        path.open("xb").close()
        try:
            made.replace(path)
        except OSError:
            path.unlink(missing_ok=True)
            raise


def _keep_names(folder: Path) -> None:
    """See that the names in a folder are on the disk too, where the system can be asked for that."""
    with suppress(OSError):
        at = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(at)
        finally:
            os.close(at)


# --- reading what was asked -----------------------------------------------------------------------------------------


def read_form(reader: Reader, form: ExportForm) -> _Asked:
    """The form as values; raises ``Refused`` with everything that is wrong with it."""
    reading = Reading()
    name = reading.choice(form.what, "what", "What to take away", tuple(EXPORTS))
    table = EXPORTS[name]
    how = reading.choice(form.format, "format", "The format", tuple(SUFFIXES))
    path = Path(form.path)
    if not form.path.strip() or not path.name:
        reading.fault("path", "Name the file to write.")
    elif reading.was_read("format") and path.suffix.lower() != SUFFIXES[how]:
        reading.fault("path", f"A file of this format ends in {SUFFIXES[how]}. Name it {path.stem}{SUFFIXES[how]}.")
    strengths = ("", *(show(each) for each in STRENGTHS_MG))
    strength = reading.choice(form.strength_mg, "strength_mg", "The strength", strengths)
    wanted = Wanted(
        reading.day(form.from_on, "from_on") if form.from_on.strip() else None,
        reading.day(form.to_on, "to_on") if form.to_on.strip() else None,
        form.subject_number.strip().upper(),
        Decimal(strength) if strength else None,
        form.lot.strip(),
        form.place.strip(),
    )
    if reading.was_read("what"):
        reading.faults += table.cannot_choose(wanted)
    _check_wanted(reading, reader, wanted)
    by = reading.take(lambda: find_map(reader, form.column_map), None) if form.column_map.strip() else None
    if by is not None and reading.was_read("what") and by.table != name:
        reading.fault("column_map", f"The column map {by.name} is of “{by.table}”, not of “{name}”. Take that table.")
    asked = _Asked(table, how, path, wanted, by)
    if path.name and reading.was_read("format"):
        found = (_name_fault(each) for each in (path, asked.variables) if each is not None)
        reading.faults += [fault for fault in found if fault is not None]
    reading.done()
    return asked


def _check_wanted(reading: Reading, reader: Reader, wanted: Wanted) -> None:
    """What is asked for exists: a slip of the keyboard must not look like an empty table."""
    if wanted.from_on and wanted.to_on and wanted.from_on > wanted.to_on and reading.was_read("from_on", "to_on"):
        reading.fault("to_on", f"{say_day(wanted.to_on)} is before {say_day(wanted.from_on)}. Turn them round.")
    if wanted.subject_number and reader.subject(wanted.subject_number) is None:
        reading.fault("subject_number", f"Subject {wanted.subject_number} is not enrolled.")
    if wanted.lot and wanted.lot not in {lot for _, lot, _ in reader.lots()}:
        reading.fault("lot", f"There is no lot {wanted.lot}. Choose one that was received.")
    if wanted.place and wanted.place not in {place.name for place in reader.places()}:
        reading.fault("place", f"There is no place {wanted.place}. Choose one of the list.")


# --- writing --------------------------------------------------------------------------------------------------------


def _write(
    desk: Desk, reader: Reader, act: Act, asked: _Asked, moment: Moment, folder: Path, tell: Tell | None
) -> tuple[dict[str, Any], list[tuple[Path, Path]]]:
    """Write the files into ``folder``; gives what the journal says of them, and where each of them goes."""
    head = reader.head()
    columns, row_of = _columns(asked, moment)
    about = _about(desk, reader, act, asked, moment, head)
    main = folder / f"data{SUFFIXES[asked.format]}"
    with main.open("wb") as out:
        file = table_file(asked.format, out, columns, about, folder)
        try:
            rows = _fill(file, asked, reader, row_of, tell)
            file.close()
        except BaseException:
            file.give_up()
            raise
        out.flush()
        os.fsync(out.fileno())
    parts = [(main, asked.path)]
    listed = None
    if asked.variables is not None:
        variables = folder / "variables.csv"
        with variables.open("wb") as out:
            out.write(variable_list(file.measured))
            out.flush()
            os.fsync(out.fileno())
        listed = {"file_name": asked.variables.name, "sha256": _sha256(variables)}
        # The list first: whoever finds the data has it beside them.
        parts.insert(0, (variables, asked.variables))
    content = {
        "what": asked.table.name,
        "format": asked.format,
        "file_name": asked.path.name,
        "filter": _filter(asked.wanted),
        "map": None if asked.by is None else {"name": asked.by.name, "sha256": asked.by.sha256},
        "columns": [column.name for column in columns],
        "rows": rows,
        "size_bytes": main.stat().st_size,
        "sha256": _sha256(main),
        "variables": listed,
        "notes": file.notes,
        "de_identified": "yes",
        "head_seq": head.seq,
        "head_hash": head.hash,
    }
    return content, parts


def _columns(asked: _Asked, moment: Moment) -> tuple[tuple[Column, ...], Callable[[Row], Row]]:
    if asked.by is None:
        return asked.table.columns, lambda row: row
    study = protocol_of(moment.site, moment.today).study
    facts = {
        "protocol number": moment.site.protocol_number,
        "study title": moment.site.study_title,
        "sponsor": study.sponsor,
        "supporter": study.supporter,
        "drug": study.drug,
        "site number": moment.site.number,
        "site name": moment.site.name,
        "principal investigator": moment.site.principal_investigator,
    }
    # Dataset-JSON has a word of its own for what is missing.
    return mapped(asked.table, asked.by, facts.__getitem__, "" if asked.format == "json" else asked.by.missing)


def _fill(file: TableFile, asked: _Asked, reader: Reader, row_of: Callable[[Row], Row], tell: Tell | None) -> int:
    """Write every row that is wanted; gives how many there were."""
    found = asked.table.find(reader, asked.wanted)
    wants = asked.table.wants(asked.wanted)
    said = rows = 0
    if tell is not None:
        tell(0, found.total)
    for gone_through, row in found.rows:
        if row is not None and wants(row):
            file.add(row_of(row))
            rows += 1
        if tell is not None and gone_through >= said + TOLD_EVERY:
            said = gone_through
            tell(said, found.total)
    if tell is not None:
        tell(found.total, found.total)
    return rows


def _about(desk: Desk, reader: Reader, act: Act, asked: _Asked, moment: Moment, head: views.Head) -> About:
    site = moment.site
    recorded_at = datetime.fromisoformat(head.recorded_utc).astimezone(moment.now.tzinfo)
    chosen = "; ".join(f"{name}: {value}" for name, value in _said_filter(asked.wanted))
    lines = (
        ("What", asked.table.label + (f", by the column map {asked.by.name}" if asked.by else "")),
        ("Chosen by", chosen or "nothing left out"),
        ("Study", f"{site.protocol_number}, {site.study_title}"),
        ("Site", f"{site.number} {site.name}"),
        ("Made", f"{say_moment(moment.now)} by {moment.person.printed_name}"),
        ("Times", f"of the site: {site.time_zone}"),
        ("Protocol version", version_on(site, moment.today).label),
        ("Settings version", str(settings_version(reader))),
        ("Program", f"version {desk.app_version}"),
        ("Record", f"{head.seq:,} entries, head {head.hash}"),
        ("Subjects", "known by their numbers; notes are as people typed them"),
        *((("Demonstration", "Not for clinical use."),) if site.demonstration else ()),
    )
    name = asked.table.name.upper().replace("-", "_")
    return About(
        name=name,
        label=asked.table.label,
        file_oid=f"{site.protocol_number}.{site.number}.{name}.{act.act_id}",
        study=site.protocol_number,
        site=site.name,
        app_version=desk.app_version,
        made_at=moment.now,
        recorded_at=recorded_at if recorded_at <= moment.now else None,
        made_by=moment.person.printed_name,
        demonstration=site.demonstration,
        lines=lines,
    )


def _filter(wanted: Wanted) -> dict[str, object]:
    """What rows were chosen by, as the journal keeps it: only what was asked."""
    return {name: value for name in Wanted.__dataclass_fields__ if (value := getattr(wanted, name)) not in (None, "")}


def _said_filter(wanted: Wanted) -> Iterator[tuple[str, str]]:
    words = {
        "from_on": "from",
        "to_on": "to",
        "subject_number": "subject",
        "strength_mg": "strength in mg",
        "lot": "lot",
        "place": "place",
    }
    for name, value in _filter(wanted).items():
        yield words[name], say_day(value) if isinstance(value, date) else str(value)


def _sha256(path: Path) -> str:
    """The SHA-256 of what lies on the disk."""
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
