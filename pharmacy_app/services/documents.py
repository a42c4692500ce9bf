"""Documents kept with the record: a written decision, the supporter's permission, a letter, whole and hashed."""

import re
from dataclasses import dataclass
from hashlib import sha256

from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services import views
from pharmacy_app.services.about import read_about
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform
from pharmacy_app.services.file_content import MAX_DOCUMENT_BYTES, read_media_type
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

WRITTEN_DECISION = "written decision"
"""The kind of document by which a dose goes on past a stop."""

SUPPORTERS_PERMISSION = "supporter's permission"
"""The kind of document that carries the supporter's written permission (§ 8.2)."""

LOGGER_FILE = "logger file"
"""The kind of document that a temperature logger's read-out is: a table, often with lines above and below it."""

KINDS = (
    WRITTEN_DECISION,
    SUPPORTERS_PERMISSION,
    "approval",
    "packing list",
    LOGGER_FILE,
    "certificate",
    "letter",
    "other",
)
"""What a document may be."""

SIGNED_KINDS = (WRITTEN_DECISION, SUPPORTERS_PERMISSION, "approval")
"""Documents that are worth nothing without the name of who signed them."""

USE, EXPIRY_EXTENSION, RETURN, TRANSFER, DESTRUCTION = (
    "use",
    "expiry extension",
    "return",
    "transfer",
    "destruction",
)
PURPOSES = (USE, EXPIRY_EXTENSION, RETURN, TRANSFER, DESTRUCTION)
"""What the supporter can permit in writing; use is the release of what is held or in quarantine."""

PERMITTING_KINDS = (SUPPORTERS_PERMISSION, "letter")
"""Documents that say what they permit: a permission at least one thing, a letter it may."""

FILES_TAKEN = f"A PDF, PNG, JPEG, CSV, EML or plain text file of at most {MAX_DOCUMENT_BYTES // 1_000_000} MB"
"""What may be attached, as the pages say it."""


@dataclass(frozen=True, slots=True)
class DocumentForm:
    """A document as typed. ``about`` names what ``about.read_about`` knows, or is '' for the study as a whole.

    ``permits`` are those of ``PURPOSES`` that the supporter permits by it.
    """

    title: str
    kind: str
    about: str
    signed_by: str
    dated_on: str
    file_name: str
    permits: tuple[str, ...] = ()


def attach_document(desk: Desk, act: Act, form: DocumentForm, content: bytes) -> Event:
    """Keep a document: its bytes as they are under their SHA-256, its facts in the journal under its own number."""
    name = sha256(content).hexdigest()
    # Read before the act begins: a large file keeps nobody else waiting.
    of_file = Reading()
    loose_table = form.kind == LOGGER_FILE
    media_type = of_file.take(lambda: read_media_type(content, form.file_name, loose_table=loose_table), "")

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        title = reading.text(form.title, "title", "The title")
        kind = reading.choice(form.kind, "kind", "The kind of document", KINDS)
        about = reading.take(lambda: read_about(writer, form.about), "")
        signed_by = reading.note(form.signed_by, "signed_by", "Who signed it", longest=60)
        if not signed_by and form.kind in SIGNED_KINDS:
            article = "an" if kind.startswith("a") else "a"
            reading.fault("signed_by", f"Type who signed it: {article} {kind} counts by its signature.")
        permits = _permits(reading, form)
        dated_on = reading.day(form.dated_on, "dated_on", today=moment.today)
        file_name = reading.text(re.split(r"[/\\]", form.file_name)[-1], "file_name", "The file's name", longest=200)
        reading.faults += of_file.faults
        if reading.was_read("about"):
            # With another kind, date or signer it is put right: a document is never changed.
            facts = (name, kind, signed_by, dated_on, tuple(permits) if kind in PERMITTING_KINDS else None)
            same = next(
                (
                    document
                    for document in writer.documents(about=about)
                    if (document.sha256, document.kind, document.signed_by, document.dated_on, document.permits)
                    == facts
                ),
                None,
            )
            if same is not None and not _kept_back_since(writer, same):
                reading.fault("content", f"This very file is attached here already, as document {same.document_id}.")
        reading.done()
        return Draft(
            {
                "document_id": numbered("F", writer.counter("document") + 1),
                "title": title,
                "kind": kind,
                "about": about,
                "signed_by": signed_by,
                "permits": permits,
                "dated_on": dated_on,
                "file_name": file_name,
                "media_type": media_type,
                "size_bytes": len(content),
                "sha256": writer.put_paper(content),
            }
        )

    return perform(desk, act, "document_attached", {"form": form, "sha256": name}, build)


def _permits(reading: Reading, form: DocumentForm) -> list[str]:
    """What the document permits, in the order of the list; a permission permits something."""
    if form.kind not in PERMITTING_KINDS:
        return []
    for each in form.permits:
        reading.choice(each, "permits", "What it permits", PURPOSES)
    if form.kind == SUPPORTERS_PERMISSION and not form.permits:
        reading.fault(
            "permits",
            f"Choose what the supporter permits by it: {', '.join(PURPOSES)}. It counts for nothing else.",
            "R54",
            "8.2",
        )
    return [each for each in PURPOSES if each in form.permits]


_KEEPS_BACK = (
    "shipment_received",
    "logger_read",
    "vials_quarantined",
    "vials_found",
    "vials_transported",
    "deviation_recorded",
    "deviation_updated",
    "move_undone",
    "receipt_corrected",
)
"""Acts by which vials are kept back: a permission attached before cannot know of them."""


def _kept_back_since(reader: Reader, document: views.DocumentLine) -> bool:
    """Whether a permission is attached anew because vials were kept back after it was attached the last time."""
    return document.kind == SUPPORTERS_PERMISSION and bool(
        reader.events_between(_KEEPS_BACK, document.event_seq, reader.head().seq + 1)
    )
