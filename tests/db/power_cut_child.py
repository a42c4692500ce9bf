"""A pharmacy that works without pause and says each act it was told is recorded; it is killed from outside.

Run as ``python -m tests.db.power_cut_child ADDRESS``; waits for a line on standard input before it begins.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pharmacy_app.domain.events import Event
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.counts import CountForm, record_count
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.db.workstation import Study
from tests.services.pharmacy import MONDAY, Pharmacy

Say = Callable[[str, str], None]
"""Is told the act's number and its kind."""


class TellingStore:
    """A store that says of each event that it is recorded, at the moment the database has said so, and no earlier."""

    def __init__(self, store: Any, say: Say) -> None:
        self._store = store
        self._say = say

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self) -> Iterator[Any]:
        """One writing transaction; told after its commit."""
        with self._store.write() as writer:
            noting = _Noting(writer)
            yield noting
        for event in noting.events:
            self._say(event.act_id, event.kind)


class _Noting:
    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self.events: list[Event] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def append(self, event: Event) -> None:
        """Append, and keep for telling."""
        self._writer.append(event)
        self.events.append(event)


def opened(url: str, say: Say) -> Pharmacy:
    """The study at a desk that tells."""
    pharmacy = Study(url, {}, MONDAY).open()
    object.__setattr__(pharmacy.desk, "store", TellingStore(pharmacy.desk.store, say))
    return pharmacy


def works(pharmacy: Pharmacy, rounds: int = 10_000) -> None:
    """Receive, release, enroll, order to close, correct, count, quarantine, attach: again and again."""
    me = os.getpid()
    for number in range(rounds):
        pharmacy.clock.now = MONDAY
        units = pharmacy.stock_up(
            f"S-{me}-{number}", (LotTyped("1", f"L{me}", "2027-03-31", str(3 + number % 5 * 10)),)
        )
        subject = pharmacy.enroll(f"{me}-{number}")
        pharmacy.dose("closed", subject, units=(units[0], units[1]))
        # Its own subject's: another workstation may have measured since.
        mine = (
            event for event in pharmacy.events("measurement_recorded") if event.content["subject_number"] == subject
        )
        measured = list(mine)[-1]
        form = CorrectForm(measured.seq, "read wrong", (("weight", "72"),))
        correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))
        count = CountForm("Refrigerator 2", pharmacy.count(), codes=tuple(units[2:]))
        record_count(pharmacy.desk, pharmacy.act("tim"), count, pharmacy.sign("tim"), pharmacy.sign("carla"))
        quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((units[2],), "the power may go"))
        pharmacy.permission(units[2])


def main() -> None:
    """Work until killed."""

    def say(act_id: str, _kind: str) -> None:
        sys.stdout.write(act_id + "\n")
        sys.stdout.flush()

    pharmacy = opened(sys.argv[1], say)
    sys.stdin.readline()
    works(pharmacy)


if __name__ == "__main__":
    main()
