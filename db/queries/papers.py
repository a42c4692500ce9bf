"""Printed papers and attached documents."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, or_, select

from db import schema
from db.queries.base import Queries
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import hash_of
from pharmacy_app.services import views
from pharmacy_app.services.ports import DocumentFilter


class PaperQueries(Queries):
    """Printed papers and attached documents."""

    def printed(self, *, about: str = "", paper: str = "", limit: int = 200) -> Sequence[views.PrintedLine]:
        """Printed papers, newest first."""
        table = schema.printed.c
        query = select(schema.printed).order_by(table.event_seq.desc(), table.about)
        if about:
            query = query.where(table.about == about)
        if paper:
            query = query.where(table.paper == paper)
        return [
            views.PrintedLine(
                row["event_seq"],
                row["paper"],
                row["about"],
                row["copy_number"],
                row["pages"],
                row["sha256"],
                datetime.fromisoformat(row["printed_at"]),
                row["printed_by"],
                row["why"],
            )
            for row in self.rows(query.limit(limit))
        ]

    def paper(self, sha256: str) -> bytes | None:
        """A stored paper's or document's bytes; raises ``Unavailable`` when they are not what was kept."""
        content = self.connection.execute(
            select(schema.stored_paper.c.content).where(schema.stored_paper.c.sha256 == sha256)
        ).scalar()
        if content is not None and hash_of(content) != sha256:
            raise Unavailable(
                f"The stored file {sha256[:12]}… was altered from outside. Do not go by it: restore the last backup"
                " and tell support."
            )
        return content

    def _documents(self, where: Any = None) -> list[views.DocumentLine]:
        query = select(schema.document).order_by(schema.document.c.event_seq.desc())
        if where is not None:
            query = query.where(where)
        return [_document(row) for row in self.rows(query)]

    def document(self, document_id: str) -> views.DocumentLine | None:
        """A document by its number; its bytes are ``paper(sha256)``."""
        found = self._documents(schema.document.c.document_id == document_id)
        return found[0] if found else None

    def _listed(self, wanted: DocumentFilter) -> Select[Any]:
        table = schema.document.c
        query = select(schema.document)
        if wanted.kind:
            query = query.where(table.kind == wanted.kind)
        if wanted.text:
            columns = (table.document_id, table.title, table.file_name, table.signed_by, table.about)
            query = query.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
        return query

    def documents_listed(
        self, wanted: DocumentFilter, *, sort: str, descending: bool, offset: int, limit: int
    ) -> Sequence[views.DocumentLine]:
        """A page of the documents, sorted by a column; those of one day in the order they were attached."""
        column = schema.document.c[sort]
        query = self._listed(wanted).order_by(
            column.desc() if descending else column.asc(),
            schema.document.c.event_seq.desc() if descending else schema.document.c.event_seq,
        )
        return [_document(row) for row in self.rows(query.offset(offset).limit(limit))]

    def count_documents(self, wanted: DocumentFilter) -> int:
        """How many documents the same question gives."""
        return self.count(self._listed(wanted))

    def documents(self, *, about: str | None = None) -> Sequence[views.DocumentLine]:
        """Documents, newest first: all of them, or those about one subject, one dose or ('') the study."""
        return self._documents(None if about is None else schema.document.c.about == about)


def _document(row: RowMapping) -> views.DocumentLine:
    return views.DocumentLine(
        row["document_id"],
        row["title"],
        row["kind"],
        row["about"],
        row["signed_by"],
        date.fromisoformat(row["dated_on"]),
        row["file_name"],
        row["media_type"],
        row["size_bytes"],
        row["sha256"],
        datetime.fromisoformat(row["attached_at"]),
        row["attached_by"],
        row["event_seq"],
        None if row["permits"] is None else tuple(each for each in row["permits"].split("; ") if each),
    )
