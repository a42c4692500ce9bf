"""What all questions share: one open connection, and reading back what is stored as text."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Boolean, Connection, RowMapping, Select, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from db.compiled import Kept


class Contains(FunctionElement[bool]):
    """Whether stored bytes contain other bytes: ``Contains(column, b"...")``, in the words of either backend."""

    type = Boolean()
    inherit_cache = True


@compiles(Contains)
def _contains(element: Contains, compiler: SQLCompiler, **more: Any) -> str:
    return f"instr({compiler.process(element.clauses, **more)}) > 0"


@compiles(Contains, "postgresql")
def _contains_on_postgresql(element: Contains, compiler: SQLCompiler, **more: Any) -> str:
    return f'pg_catalog."position"({compiler.process(element.clauses, **more)}) > 0'


class Queries:
    """Asks on one open connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, query: Select[Any] | Kept, **values: object) -> Sequence[RowMapping]:
        """Every row of the answer; ``values`` are those that the question names with ``bindparam``.

        What every act asks is ``Kept`` at the top of its file: putting it in words takes longer than the answer.
        """
        if isinstance(query, Kept):
            # Plain mappings by the columns' names: all that is ever asked of a row.
            return cast(Sequence[RowMapping], query.read(self.connection, values))
        return self.connection.execute(query, values).mappings().all()

    def row(self, query: Select[Any] | Kept, **values: object) -> RowMapping | None:
        """The one row of the answer, or ``None``."""
        rows = self.rows(query, **values)
        assert len(rows) <= 1
        return rows[0] if rows else None

    def value(self, query: Select[Any] | Kept, **values: object) -> Any:
        """The first value of the answer, ``None`` where there is none."""
        rows = self.rows(query, **values)
        return next(iter(rows[0].values())) if rows else None

    def count(self, query: Select[Any]) -> int:
        """How many rows the answer has."""
        return int(self.connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def decimal(text: str | None) -> Decimal | None:
    """A stored number."""
    return None if text is None else Decimal(text)


def day(text: str | None) -> date | None:
    """A stored day."""
    return None if text is None else date.fromisoformat(text)


def moment(text: str | None) -> datetime | None:
    """A stored moment with its offset."""
    return None if text is None else datetime.fromisoformat(text)


def load(text: str | None) -> Any:
    """A stored JSON value."""
    return None if text is None else json.loads(text)
