"""Printed labels one by one, prints that nobody has answered for, and the printers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, case, func, or_, select

from db import schema
from db.compiled import Kept
from db.queries.base import Queries, load, moment
from db.queries.vials import vial_of
from pharmacy_app.domain.codec import from_plain
from pharmacy_app.domain.vials import UNOPENED, Vial
from pharmacy_app.services import views
from pharmacy_app.services.ports import LabelFilter

LIVE = ("printed", "out")
_LABEL = schema.label.c
_LAST_COPY = Kept(
    select(func.coalesce(func.max(_LABEL.copy_number), 0).label("copy"))
    .select_from(schema.label)
    .where(_LABEL.kind == bindparam("kind"), _LABEL.number == bindparam("number"))
)


class LabelQueries(Queries):
    """Printed labels one by one, prints that nobody has answered for, and the printers."""

    def _labels(self, wanted: LabelFilter) -> Select[Any]:
        query = select(schema.label)
        for column, value in ((_LABEL.number, wanted.number), (_LABEL.kind, wanted.kind), (_LABEL.about, wanted.about)):
            if value:
                query = query.where(column == value)
        if wanted.print_seq is not None:
            query = query.where(_LABEL.event_seq == wanted.print_seq)
        if wanted.live:
            query = query.where(_LABEL.status.in_(LIVE))
        if wanted.text:
            columns = (_LABEL.number, _LABEL.about, _LABEL.kind, _LABEL.printed_by)
            query = query.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
        return query

    def labels(self, wanted: LabelFilter, *, offset: int = 0, limit: int = 200) -> Sequence[views.LabelLine]:
        """Labels, those of the newest print first, each print in its order."""
        query = self._labels(wanted).order_by(_LABEL.event_seq.desc(), _LABEL.line)
        return [_label(row) for row in self.rows(query.offset(offset).limit(limit))]

    def count_labels(self, wanted: LabelFilter) -> int:
        """How many labels the same question gives."""
        return self.count(self._labels(wanted))

    def last_copy(self, kind: str, number: str) -> int:
        """The highest copy number of a kind's labels of this number, whatever became of it; 0 before the first."""
        return int(self.value(_LAST_COPY, kind=kind, number=number))

    def labels_out(self, kind: str, number: str, about: str) -> int:
        """How many labels of a kind came out, or may have, with this number and for this; void ones too."""
        return self.count(
            self._labels(LabelFilter(number=number, kind=kind, about=about)).where(_LABEL.status != "never out")
        )

    def newest_label(self, kind: str, number: str) -> views.LabelLine | None:
        """The newest label of a kind and number that came out or may have: if it is void, no older one counts."""
        query = self._labels(LabelFilter(number=number, kind=kind)).where(_LABEL.status != "never out")
        rows = self.rows(query.order_by(_LABEL.event_seq.desc(), _LABEL.copy_number.desc()).limit(1))
        return next((_label(row) for row in rows), None)

    def open_prints(self) -> Sequence[views.OpenPrint]:
        """Prints with labels of which nobody has said whether they came out, oldest first."""
        waiting = func.sum(case((_LABEL.status == "printed", 1), else_=0))
        query = (
            select(
                _LABEL.event_seq,
                func.min(_LABEL.kind).label("kind"),
                func.count().label("labels"),
                waiting.label("waiting"),
                func.min(_LABEL.printer).label("printer"),
                func.min(_LABEL.printed_at).label("printed_at"),
                func.min(_LABEL.printed_by).label("printed_by"),
            )
            .where(_LABEL.event_seq.in_(select(_LABEL.event_seq).where(_LABEL.status == "printed")))
            .group_by(_LABEL.event_seq)
            .order_by(_LABEL.event_seq)
        )
        return [
            views.OpenPrint(
                row["event_seq"],
                row["kind"],
                int(row["labels"]),
                int(row["waiting"]),
                row["printer"],
                datetime.fromisoformat(row["printed_at"]),
                row["printed_by"],
            )
            for row in self.rows(query)
        ]

    def unscanned_vials(self) -> Sequence[Vial]:
        """Unopened vials on site whose own label was not scanned back."""
        table = schema.vial.c
        query = (
            select(schema.vial).where(table.label_seq.is_(None), table.state.in_(UNOPENED)).order_by(table.unit_number)
        )
        return [vial_of(row) for row in self.rows(query)]

    def printers(self) -> Sequence[views.Printer]:
        """Every printer, in use or not, by its number; each kind goes to the one that was set for it last."""
        rows = self.rows(select(schema.printer).order_by(schema.printer.c.number))
        entries = {row["name"]: from_plain(views.PrinterEntry, load(row["entry"])) for row in rows}
        usual: dict[str, str] = {}
        for row in sorted(rows, key=lambda row: row["event_seq"]):
            entry = entries[row["name"]]
            if entry.in_use:
                usual |= dict.fromkeys(entry.default_for, entry.name)
        return [
            views.Printer(
                row["number"],
                entries[row["name"]],
                tuple(kind for kind, name in usual.items() if name == row["name"]),
                row["event_seq"],
                row["set_by"],
                datetime.fromisoformat(row["set_at"]),
            )
            for row in rows
        ]


def _label(row: RowMapping) -> views.LabelLine:
    return views.LabelLine(
        row["event_seq"],
        row["line"],
        row["kind"],
        row["number"],
        row["about"],
        row["copy_number"],
        row["reprint"],
        row["mark"],
        row["status"],
        row["printer"],
        datetime.fromisoformat(row["printed_at"]),
        row["printed_by"],
        row["why"],
        row["void_why"],
        row["voided_by"],
        moment(row["voided_at"]),
        row["scanned_by"],
        moment(row["scanned_at"]),
    )
