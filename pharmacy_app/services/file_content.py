"""What a file is, by its name's ending and its bytes together, and what of it can be shown as text. Nothing is run.

A document is evidence: it must be whole, and it must be what its name says. Each check reads to the end of the file
and takes nothing for granted that is not in the bytes.
"""

import csv
import email.policy
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email import errors
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from pharmacy_app.domain.errors import Fault, Refused

MAX_DOCUMENT_BYTES = 25_000_000
"""The largest document, 25 MB, this size included: a scan of a hundred pages."""

MAX_PICTURE_DOTS = 50_000_000
"""The largest picture, in dots: A4 at 600 dots an inch has 35 million. A small file can unpack to any size."""

MAX_TABLE_ROWS = 5_000
"""Rows of a CSV file that are shown; the file itself is kept whole."""

MAX_TEXT_CHARACTERS = 200_000
"""Characters of a text that are shown."""

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
CSV, EML, TEXT = "text/csv", "message/rfc822", "text/plain"

ENDINGS = {
    ".pdf": PDF,
    ".png": PNG,
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".csv": CSV,
    ".eml": EML,
    ".txt": TEXT,
}
"""The endings of the files that are kept, and what each says of the content."""

_NAMES = {PDF: "PDF", PNG: "PNG picture", JPEG: "JPEG picture", CSV: "CSV table", EML: "e-mail", TEXT: "plain text"}
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_DELIMITERS = (";", "\t", ",")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
# What a file system or a command line reads as more than a letter, and signs that turn the direction of a name.
_UNSAFE = re.compile("[\x00-\x1f\x7f<>:\"/\\\\|?*;&$`'!%\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_BREAKING_DEFECTS = (
    errors.NoBoundaryInMultipartDefect,
    errors.StartBoundaryNotFoundDefect,
    errors.CloseBoundaryNotFoundDefect,
    errors.FirstHeaderLineIsContinuationDefect,
    errors.MissingHeaderBodySeparatorDefect,
    errors.MultipartInvariantViolationDefect,
    errors.InvalidMultipartContentTransferEncodingDefect,
)


def read_media_type(content: bytes, file_name: str, *, loose_table: bool = False) -> str:
    """What the file is, when its ending and its bytes agree; raises ``Refused`` (field ``content``) otherwise.

    ``loose_table``: a logger's file has lines above and below its table; such a CSV is kept as the text it is.
    """
    if not content.strip():
        raise _refused("This file is empty. Choose another one.")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise _refused(
            f"This file is larger than {MAX_DOCUMENT_BYTES // 1_000_000} MB. Scan it again in black and white or"
            " with fewer dots, or attach it in parts."
        )
    ending = ending_of(file_name)
    media_type = ENDINGS.get(ending)
    if media_type is None:
        said = f"A file that ends in {ending}" if ending else "A file without an ending"
        raise _refused(
            f"{said} is not kept here. Save it as a PDF, or attach a PNG, JPEG, CSV, EML or plain text file (.txt)."
        )
    looks = _looks_like(content)
    if looks not in ("", media_type):
        raise _refused(
            f"The name ends in {ending}, but the file is a {_NAMES[looks]}. Give it its right name and attach it again."
        )
    trouble = _CHECKS[media_type](content)
    if trouble and media_type == CSV and loose_table and not _text_trouble(content):
        return TEXT
    if trouble:
        raise _refused(f"The name ends in {ending}, but {trouble}")
    return media_type


def ending_of(file_name: str) -> str:
    """The ending of a file's name in small letters with its point, '' when it has none."""
    stem, point, ending = file_name.strip().rpartition(".")
    return f".{ending.lower()}" if point and stem and ending else ""


def safe_file_name(document_id: str, file_name: str, media_type: str) -> str:
    """A name under which a kept file can be saved anywhere: its number, what is harmless of its name, its ending."""
    ending = ending_of(file_name)
    if ENDINGS.get(ending) != media_type and not (ending == ".csv" and media_type == TEXT):
        ending = next((known for known, kind in ENDINGS.items() if kind == media_type), ".txt")
    stem = file_name.strip()[: -len(ending)] if file_name.strip().lower().endswith(ending) else file_name
    stem = re.sub(r"[\s_]+", "_", _UNSAFE.sub("_", stem)).strip("._- ")[:80].rstrip("._- ")
    if not stem or _RESERVED.match(stem):
        stem = f"file_{stem}".rstrip("_")
    return f"{document_id}_{stem}{ending}"


def _refused(sentence: str) -> Refused:
    return Refused(Fault("content", sentence))


def _looks_like(content: bytes) -> str:
    """The media type that the first bytes name beyond doubt, or ''."""
    for start, media_type in ((b"%PDF-", PDF), (_PNG_START, PNG), (b"\xff\xd8\xff", JPEG)):
        if content.startswith(start):
            return media_type
    return ""


# --- each kind, to its end: '' or the rest of the sentence that says what is wrong


def _pdf_trouble(content: bytes) -> str:
    if not content.startswith(b"%PDF-"):
        return "the file is no PDF, whatever its name says. Save it as a PDF and attach that."
    if b"%%EOF" not in content[-1024:]:
        return "the PDF breaks off before its end. Save or send it again and attach it whole."
    return ""


_BROKEN = "the picture breaks off or is damaged. Scan or send it again and attach it whole."


def _png_trouble(content: bytes) -> str:
    if not content.startswith(_PNG_START):
        return "the file is no PNG picture. Save it as a PNG or PDF and attach that."
    try:
        chunks = list(_png_chunks(content))
    except ValueError:
        return _BROKEN
    kinds = [kind for kind, _ in chunks]
    first, head = chunks[0]
    if first != b"IHDR" or len(head) != 13 or b"IDAT" not in kinds:
        return _BROKEN
    return _dots_trouble(*struct.unpack(">II", head[:8]))


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's kind and its first bytes, through the end mark; raises ``ValueError`` where one is damaged."""
    at = len(_PNG_START)
    while True:
        kind, end = content[at + 4 : at + 8], at + 12 + int.from_bytes(content[at : at + 4], "big")
        if len(kind) < 4 or end > len(content):
            raise ValueError("breaks off")
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            raise ValueError("damaged")
        yield kind, content[at + 8 : min(end - 4, at + 32)]
        if kind == b"IEND":
            return
        at = end


_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Marks without a length: an escaped 0xFF in the picture's data, and what may stand between its pieces.
_JPEG_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})


def _jpeg_trouble(content: bytes) -> str:
    if not content.startswith(b"\xff\xd8\xff"):
        return "the file is no JPEG picture. Save it as a JPEG or PDF and attach that."
    try:
        parts = list(_jpeg_parts(content))
    except ValueError:
        return _BROKEN
    frames = [body for mark, body in parts if mark in _JPEG_FRAMES]
    if not frames or len(frames[0]) < 5 or _JPEG_SCAN not in (mark for mark, _ in parts):
        return _BROKEN
    down, across = struct.unpack(">HH", frames[0][1:5])
    return _dots_trouble(across, down)


def _jpeg_parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each marked part's mark and its first bytes, through the end mark; raises ``ValueError`` where it breaks off."""
    at = 2
    while True:
        at = content.index(b"\xff", at)
        mark = content[at + 1 : at + 2]
        if mark == b"\xff":  # filling before a mark
            at += 1
        elif mark == bytes([_JPEG_END]):
            return
        elif not mark:
            raise ValueError("breaks off")
        elif mark[0] in _JPEG_BARE:
            at += 2
        else:
            length = int.from_bytes(content[at + 2 : at + 4], "big")
            if length < 2 or at + 2 + length > len(content):
                raise ValueError("breaks off")
            yield mark[0], content[at + 4 : at + 2 + min(length, 32)]
            at += 2 + length


def _dots_trouble(across: int, down: int) -> str:
    if across == 0 or down == 0:
        return "the picture has no dots. Scan it again."
    if across * down > MAX_PICTURE_DOTS:
        return (
            f"the picture has {across:,} × {down:,} dots, more than {MAX_PICTURE_DOTS // 1_000_000} million. Scan it"
            " again at 300 dots an inch."
        )
    return ""


def _csv_trouble(content: bytes) -> str:
    if trouble := _text_trouble(content):
        return trouble
    text = text_of(content)
    table = _table_of(text)
    width = len(table[0]) if table else 0
    for number, row in enumerate(table, start=1):
        if len(row) != width:
            return (
                f"row {number} has {len(row)} columns where the first has {width}. Look whether the file is whole; a"
                " text that is no table is attached as .txt."
            )
    return ""


def _eml_trouble(content: bytes) -> str:
    try:
        message = _parsed(content)
        sent = parsedate_to_datetime(str(message["Date"])) if message["Date"] else None
        parts = list(message.walk())
    except (errors.MessageError, ValueError, TypeError, LookupError, RecursionError, AttributeError, IndexError):
        return "the file cannot be read as an e-mail. Print the e-mail to a PDF and attach that."
    if not message["From"] or sent is None:
        return "the file has no From and Date of an e-mail. Print the e-mail to a PDF and attach that."
    if any(isinstance(defect, _BREAKING_DEFECTS) for part in parts for defect in part.defects):
        return "the e-mail breaks off or is damaged. Save it again from the mail program, or print it to a PDF."
    return ""


def _text_trouble(content: bytes) -> str:
    try:
        text = text_of(content)
    except UnicodeDecodeError:
        text = "\0"
    if _NO_TEXT.search(text):
        return "the file is no plain text. Save it as a PDF and attach that."
    return ""


_CHECKS: dict[str, Callable[[bytes], str]] = {
    PDF: _pdf_trouble,
    PNG: _png_trouble,
    JPEG: _jpeg_trouble,
    CSV: _csv_trouble,
    EML: _eml_trouble,
    TEXT: _text_trouble,
}


# --- what can be shown


def text_of(content: bytes) -> str:
    """A text file's words: UTF-8, UTF-16 by its mark, or what Windows writes in the west (a logger's ° is there).

    Raises ``UnicodeDecodeError`` where it is none of them.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _table_of(text: str) -> list[list[str]]:
    """The rows of a table that are not empty, cut where that gives columns throughout, else where most can be cut.

    The semicolon comes first: beside it a comma is a decimal sign.
    """
    # A field may hold all of a document: the module's own limit is for a careless reader of foreign files.
    csv.field_size_limit(MAX_DOCUMENT_BYTES)
    cut = sorted((sign for sign in _DELIMITERS if sign in text), key=text.count, reverse=True) or [","]
    for delimiter in (sign for sign in _DELIMITERS if sign in text):
        table = _cut(text, delimiter)
        if len({len(row) for row in table}) == 1 and len(table[0]) > 1:
            return table
    return _cut(text, cut[0])


def _cut(text: str, delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A CSV file as it is shown: cells are text, whatever they begin with. ``rows`` are the first of ``total``."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


def table_of(content: bytes) -> ShownTable:
    """The table in a CSV file."""
    table = _table_of(text_of(content))
    if not table:
        return ShownTable((), (), 0)
    rows = tuple(tuple(row) for row in table[1 : MAX_TABLE_ROWS + 1])
    return ShownTable(tuple(table[0]), rows, len(table) - 1)


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text as it is shown; ``cut`` says that it goes on in the file."""

    text: str
    cut: bool


def shown_text(content: bytes) -> ShownText:
    """The words of a text file."""
    text = text_of(content)
    return ShownText(text[:MAX_TEXT_CHARACTERS], len(text) > MAX_TEXT_CHARACTERS)


@dataclass(frozen=True, slots=True)
class ShownEmail:
    """An e-mail as it is shown: its heads, its plain words, and its attachments by name and size, unopened."""

    heads: tuple[tuple[str, str], ...]
    text: ShownText
    attachments: tuple[tuple[str, str, int], ...]


def email_of(content: bytes) -> ShownEmail:
    """What is shown of an e-mail; raises ``Refused`` when it cannot be read."""
    try:
        return _email_of(content)
    except (errors.MessageError, ValueError, TypeError, LookupError, RecursionError, AttributeError):
        raise _refused("This e-mail cannot be shown. Save a copy and open it in a mail program.") from None


def _email_of(content: bytes) -> ShownEmail:
    message = _parsed(content)
    heads = tuple(
        (name, " ".join(str(message[name]).split()))
        for name in ("From", "To", "Cc", "Date", "Subject")
        if message[name] is not None
    )
    plain = [
        part
        for part in message.walk()
        if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment"
    ]
    words = "\n\n".join(_words_of(part) for part in plain)
    if not plain:
        words = "This e-mail has no plain text. Save a copy to read it in a mail program."
    text = ShownText(words[:MAX_TEXT_CHARACTERS], len(words) > MAX_TEXT_CHARACTERS)
    attached = [part for part in message.walk() if not part.is_multipart() and part not in plain]
    return ShownEmail(heads, text, tuple(_attachment_of(part) for part in attached))


def _parsed(content: bytes) -> EmailMessage:
    message = BytesParser(policy=email.policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


def _words_of(part: EmailMessage) -> str:
    raw = part.get_payload(decode=True)
    assert isinstance(raw, bytes)
    try:
        words = raw.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        words = raw.decode("utf-8", errors="replace")
    return _NO_TEXT.sub("\ufffd", words)


def _attachment_of(part: EmailMessage) -> tuple[str, str, int]:
    raw = part.get_payload(decode=True)
    return (
        " ".join((part.get_filename() or "without a name").split()),
        part.get_content_type(),
        len(raw) if isinstance(raw, bytes) else 0,
    )


def accepted_patterns() -> Sequence[str]:
    """The endings as file dialogs want them: ``*.pdf``."""
    return tuple(f"*{ending}" for ending in ENDINGS)
