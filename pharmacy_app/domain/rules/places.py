"""Numbers of the protocol inside a sentence, each written as its place in the protocol file.

A place is a path through the tables of the protocol (``{weight.max_age_days}``), with whole numbers or other places
added or taken away where an edge lies beside it (``{weight.max_age_days + 1}``). A path through a list goes through
each of its entries (``{regimen.levels.level}`` is every level); ``0`` is its first (``{regimen.levels.0.days}``). No
other entry can be named, so no place depends on how long a list is.
"""

import re
import typing
from decimal import Decimal

from pydantic import BaseModel

from pharmacy_app.domain.protocol import Protocol
from pharmacy_app.domain.units import show

_PLACE = re.compile(r"\{([^{}]*)\}")
_TERM = re.compile(r"(?:^|\s*([+-])\s+)([a-z0-9_.]+|\d+)\s*")


def filled(text: str, protocol: Protocol) -> str:
    """``text`` with the protocol's numbers in their places; ``AttributeError`` for a place that is not there."""
    return _PLACE.sub(lambda found: _words(_value(found.group(1), protocol)), text)


def places_of(text: str) -> tuple[str, ...]:
    """Every place that ``text`` names, as written between its braces."""
    return tuple(_PLACE.findall(text))


def without_places(text: str) -> str:
    """``text`` with nothing where its places were: what stands in the sentence whatever the protocol says."""
    return _PLACE.sub("", text)


def unknown_places(text: str) -> tuple[str, ...]:
    """The places of ``text`` that no protocol file can have, found in the model without reading a file."""
    return tuple(place for place in places_of(text) if not _is_known(place))


def _terms(place: str) -> list[tuple[int, str]]:
    """The signed terms of a place; ``ValueError`` when it is no sum of paths and whole numbers."""
    terms = [(-1 if sign == "-" else 1, name) for sign, name in _TERM.findall(place)]
    if not terms or _TERM.sub("", place):
        raise ValueError(f"{{{place}}} is no place of the protocol")
    return terms


def _is_known(place: str) -> bool:
    try:
        terms = _terms(place)
    except ValueError:
        return False
    return all(name.isdigit() or _is_path(name) for _, name in terms)


def _is_path(path: str) -> bool:
    kind: object = Protocol
    for name in path.split("."):
        if name == "0" and typing.get_origin(kind) is tuple:
            kind = typing.get_args(kind)[0]
            continue
        kind = _inside(kind)
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return False
        if name in kind.model_fields:
            kind = kind.model_fields[name].annotation
        elif isinstance(getattr(kind, name, None), property):
            kind = typing.get_type_hints(getattr(kind, name).fget)["return"]
        else:
            return False
    kind = _inside(kind)
    return not (isinstance(kind, type) and issubclass(kind, BaseModel))


def _inside(kind: object) -> object:
    """The kind of one entry of a list, or the kind itself."""
    while typing.get_origin(kind) is tuple or typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return kind


def _value(place: str, protocol: Protocol) -> object:
    total: object = None
    for sign, name in _terms(place):
        value: object = int(name) if name.isdigit() else _at(protocol, name.split("."))
        total = value if total is None else _added(total, sign, value)
    return total


def _at(value: object, path: list[str]) -> object:
    if isinstance(value, tuple) and path:
        return _at(value[0], path[1:]) if path[0] == "0" else tuple(_at(entry, path) for entry in value)
    return _at(getattr(value, path[0]), path[1:]) if path else value


def _added(total: object, sign: int, value: object) -> object:
    if isinstance(total, tuple):
        return tuple(_added(entry, sign, value) for entry in total)
    if isinstance(total, Decimal | int) and isinstance(value, Decimal | int):
        return total + sign * value
    raise ValueError(f"{value} cannot be added to {total}")


def _words(value: object) -> str:
    if isinstance(value, Decimal):
        return show(value)
    if not isinstance(value, tuple):
        return str(value)
    if any(isinstance(entry, tuple) for entry in value):
        return "; ".join("/".join(_words(part) for part in entry) for entry in value)
    words = [_words(entry) for entry in value]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
