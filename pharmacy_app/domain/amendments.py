"""What an amendment changes: two versions of the protocol, compared entry by entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import BaseModel

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.units import show

NATURAL_KEYS = ("level", "day", "key", "treated")
"""By what the entries of a list of tables are told apart: dose levels, days, sentences, stopping boundaries."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that differs; ``before`` is '' where it is new, ``after`` where it is gone.

    ``path`` is the place in the protocol file, such as ``windows.dose_days`` or
    ``regimen.levels[level -1].doses[day 8].mg_per_m2``.
    """

    path: str
    before: str
    after: str


def differences(old: Protocol, new: Protocol) -> tuple[Difference, ...]:
    """Every entry in which two versions differ, sections and sentences included, in the order of the file.

    Numbers are compared by value (0.8 is 0.80). Entries of a list are matched by what names them, so that a new dose
    level is seen as new and the others as they were.
    """
    return tuple(_differences("", old, new))


def _differences(path: str, old: object, new: object) -> Iterator[Difference]:
    table = new if isinstance(new, BaseModel) else old
    if isinstance(table, BaseModel):
        for name in type(table).model_fields:
            # What names an entry of a list stands in its path already.
            if not path.endswith("]") or name != _key_of(table):
                at = f"{path}.{name}" if path else name
                yield from _differences(at, getattr(old, name, None), getattr(new, name, None))
    elif _is_tables(old) or _is_tables(new):
        before, after = _by_key(old), _by_key(new)
        for key in (*before, *(key for key in after if key not in before)):
            yield from _differences(f"{path}[{key}]", before.get(key), after.get(key))
    elif old != new:
        yield Difference(path, _said(old), _said(new))


def _is_tables(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value)


def _key_of(table: BaseModel) -> str:
    return next((name for name in NATURAL_KEYS if name in type(table).model_fields), "")


def _by_key(tables: object) -> dict[str, BaseModel]:
    """The tables of a list by their natural key; one that is named twice is told apart by its place."""
    found: dict[str, BaseModel] = {}
    for place, table in enumerate(tables if isinstance(tables, tuple) else (), start=1):
        name = _key_of(table)
        value = getattr(table, name, place)
        key = f"{name} {value}".strip() if name != "key" else str(value)
        found[key if key not in found else f"{key}, entry {place}"] = table
    return found


def _said(value: object) -> str:
    """A value as a person reads it; '' for what is not there."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(_said(item) for item in value)
    if isinstance(value, Decimal):
        return show(value)
    return say_day(value) if isinstance(value, date) else str(value)
