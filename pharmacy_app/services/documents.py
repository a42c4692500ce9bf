"""Documents kept with the record: a written decision, the supporter's permission, a letter, whole and hashed."""

import re
from dataclasses import dataclass
from hashlib import sha256

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import looks_like_ours, numbered, read_number
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

WRITTEN_DECISION = "written decision"
"""The kind of document by which a dose goes on past a stop."""

KINDS = (WRITTEN_DECISION, "supporter's permission", "letter", "other")
"""What a document may be."""

SIGNED_KINDS = (WRITTEN_DECISION, "supporter's permission")
"""Documents that are worth nothing without the name of who signed them."""

MAX_DOCUMENT_BYTES = 20_000_000
"""The largest document, 20 MB, this size included: a scan of a hundred pages."""

_FIRST_BYTES = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class DocumentForm:
    """A document as typed. ``about`` is a subject number, a dose number, or '' for the study as a whole."""

    title: str
    kind: str
    about: str
    signed_by: str
    dated_on: str
    file_name: str


def attach_document(desk: Desk, act: Act, form: DocumentForm, content: bytes) -> Event:
    """Keep a document: its bytes as they are under their SHA-256, its facts in the journal under its own number."""
    name = sha256(content).hexdigest()

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        title = reading.text(form.title, "title", "The title")
        kind = reading.choice(form.kind, "kind", "The kind of document", KINDS)
        about = reading.take(lambda: _read_about(writer, form.about), "")
        signed_by = reading.note(form.signed_by, "signed_by", "Who signed it", longest=60)
        if not signed_by and form.kind in SIGNED_KINDS:
            reading.fault("signed_by", f"Type who signed it: a {kind} counts by its signature.")
        dated_on = reading.day(form.dated_on, "dated_on", today=moment.today)
        file_name = reading.text(re.split(r"[/\\]", form.file_name)[-1], "file_name", "The file's name", longest=200)
        media_type = reading.take(lambda: _read_media_type(content), "")
        if reading.was_read("about"):
            # With another kind, date or signer it is put right: a document is never changed.
            facts = (name, kind, signed_by, dated_on)
            same = next(
                (
                    document
                    for document in writer.documents(about=about)
                    if (document.sha256, document.kind, document.signed_by, document.dated_on) == facts
                ),
                None,
            )
            if same is not None:
                reading.fault("content", f"This very file is attached here already, as document {same.document_id}.")
        reading.done()
        return Draft(
            {
                "document_id": numbered("F", writer.counter("document") + 1),
                "title": title,
                "kind": kind,
                "about": about,
                "signed_by": signed_by,
                "dated_on": dated_on,
                "file_name": file_name,
                "media_type": media_type,
                "size_bytes": len(content),
                "sha256": writer.put_paper(content),
            }
        )

    return perform(desk, act, "document_attached", {"form": form, "sha256": name}, build)


def _read_about(reader: Reader, typed: str) -> str:
    """The subject or dose that a document is about, as the record names it; '' for the study."""
    about = typed.strip()
    if not about or reader.subject(about) is not None:
        return about
    if not looks_like_ours(about, "D"):
        raise Refused(
            Fault("about", f"“{about}” is neither a subject nor a dose of this study. Leave it empty for the study.")
        )
    about = read_number(about, "D", "about")
    if reader.dose(about) is None:
        raise Refused(Fault("about", f"There is no dose {about}. Look at the number again."))
    return about


def _read_media_type(content: bytes) -> str:
    """What the file is by its bytes: a name proves nothing. Raises ``Refused`` for what is not kept here."""
    if not content.strip():
        raise Refused(Fault("content", "This file is empty. Choose another one."))
    if len(content) > MAX_DOCUMENT_BYTES:
        raise Refused(
            Fault(
                "content",
                f"This file is larger than {MAX_DOCUMENT_BYTES // 1_000_000} MB. Scan it again in black and white or"
                " with fewer dots, or attach it in parts.",
            )
        )
    for media_type, first in _FIRST_BYTES.items():
        if content.startswith(first):
            return media_type
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if _NO_TEXT.search(text):
        raise Refused(
            Fault(
                "content",
                "This file is no PDF, PNG or JPEG and no plain text (UTF-8), whatever its name says. Save it as a PDF"
                " and attach that.",
            )
        )
    return "text/plain"
