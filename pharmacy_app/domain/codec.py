"""Values to canonical JSON and back.

The journal hashes bytes, so one value has exactly one text: keys sorted, no white space, UTF-8, decimals as
strings in plain notation, dates and moments in ISO 8601. Binary floats are refused: they cannot hold 0.1.
"""

import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import sha256
from typing import Any, TypeVar, cast

T = TypeVar("T")

Plain = None | bool | int | str | list[Any] | dict[str, Any]


def to_plain(value: object) -> Plain:  # noqa: PLR0911 - one line a kind of value
    """The JSON-ready form of a domain value; raises ``TypeError`` for what has no exact text (floats)."""
    # What most of a record is made of comes first: every act goes through here several times.
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return cast(Plain, value)
    if kind is dict:
        return {str(key): to_plain(item) for key, item in cast(dict[object, object], value).items()}
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return cast(Plain, value)
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is no number that a record can hold")
        return format(value, "f")
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise TypeError("a moment without its UTC offset cannot be recorded")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no exact text for the journal")


def canonical(value: object) -> bytes:
    """The one byte string that stands for ``value``."""
    return json.dumps(
        to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(value: object) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal."""
    return sha256(canonical(value)).hexdigest()


@cache
def _adapter(kind: Any) -> Any:
    # Imported here: the first window is up before anything needs it.
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def from_plain(kind: type[T], plain: object) -> T:
    """Build a value of ``kind`` (a dataclass, a tuple type …) from its plain form, checking every field."""
    return cast(T, _adapter(cast(Any, kind)).validate_python(plain))
