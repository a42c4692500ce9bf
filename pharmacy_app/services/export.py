"""Taking the records away: the ledger, vials, doses and the whole journal as plain files, with their SHA-256.

CSV is UTF-8 after RFC 4180 with ISO dates; a cell that a spreadsheet would take for a formula is made harmless by
a leading apostrophe. The journal's lines are its stored bytes with their hashes: enough to verify it elsewhere.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from hashlib import sha256

from pharmacy_app.domain.codec import to_plain
from pharmacy_app.domain.vials import Vial
from pharmacy_app.services import views
from pharmacy_app.services.ports import LedgerFilter, Reader, VialFilter

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> str:
    """A cell's text; text (never a number) that a spreadsheet would run as a formula gets a leading apostrophe."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return safe_cell(" ".join(str(item) for item in value))
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(value) else value
    plain = to_plain(value)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file with a header row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _table(kind: type, rows: Iterable[object]) -> bytes:
    names = [field.name for field in fields(kind)]
    return csv_bytes(names, ([getattr(row, name) for name in names] for row in rows))


def export_files(reader: Reader) -> dict[str, bytes]:
    """Every file of an export by name; the last, ``manifest.csv``, lists the others with rows and SHA-256."""
    everything = VialFilter()
    vials = reader.vials(
        everything, sort="unit_number", descending=False, offset=0, limit=reader.count_vials(everything)
    )
    ledger = reader.ledger(LedgerFilter(), offset=0, limit=-1)
    files = {
        "ledger.csv": _table(views.LedgerLine, ledger),
        "vials.csv": _table(Vial, vials),
        "doses.csv": _table(views.DoseLine, reader.doses()),
        "stock.csv": _table(views.StockLine, reader.stock()),
        "medication-errors.csv": _table(views.ErrorLine, reader.errors()),
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
