"""The journal's event: what was done, by whom, where, when, why, and what came before it.

An event is stored as its canonical bytes and known by their SHA-256. Each holds the hash of the one before,
so that a changed byte anywhere breaks the chain at that event (21 CFR 11.10(a), (e)).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pharmacy_app.domain.codec import canonical, from_plain

GENESIS = "0" * 64
"""The 'hash before' of the first event."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's name, the moment, what signing meant, and the hash of exactly what was signed (11.50, 11.70)."""

    account_id: str
    printed_name: str
    meaning: str
    signed_at: datetime
    content_sha256: str


@dataclass(frozen=True, slots=True)
class Event:
    """One act, as recorded. ``content`` is plain JSON: everything the views need, so that applying it is pure."""

    seq: int
    act_id: str
    kind: str
    actor_id: str
    actor_name: str
    workstation: str
    done_at: datetime
    recorded_at: datetime
    why: str
    content: dict[str, Any]
    signatures: tuple[Signature, ...]
    request_sha256: str
    marks: tuple[str, ...]
    previous_hash: str

    def body(self) -> bytes:
        """The canonical bytes that are stored and hashed."""
        return canonical(self)

    @staticmethod
    def from_body(body: bytes) -> "Event":
        """Read an event back from its stored bytes; raises ``ValueError`` when they are no event."""
        return from_plain(Event, json.loads(body))


def hash_of(body: bytes) -> str:
    """SHA-256 of an event's stored bytes, in hexadecimal."""
    return sha256(body).hexdigest()


def utc_text(moment: datetime) -> str:
    """A moment as sortable UTC text of fixed width."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
