"""Documents kept with the record: a written decision, the supporter's permission, a letter, whole and hashed."""

import re
from dataclasses import dataclass
from hashlib import sha256

from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.about import read_about
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform
from pharmacy_app.services.file_content import MAX_DOCUMENT_BYTES, read_media_type
from pharmacy_app.services.ports import Writer
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

FILES_TAKEN = f"A PDF, PNG, JPEG, CSV, EML or plain text file of at most {MAX_DOCUMENT_BYTES // 1_000_000} MB"
"""What may be attached, as the pages say it."""


@dataclass(frozen=True, slots=True)
class DocumentForm:
    """A document as typed. ``about`` names what ``about.read_about`` knows, or is '' for the study as a whole."""

    title: str
    kind: str
    about: str
    signed_by: str
    dated_on: str
    file_name: str


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
        dated_on = reading.day(form.dated_on, "dated_on", today=moment.today)
        file_name = reading.text(re.split(r"[/\\]", form.file_name)[-1], "file_name", "The file's name", longest=200)
        reading.faults += of_file.faults
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
