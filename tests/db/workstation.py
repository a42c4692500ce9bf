"""A workstation in a process of its own: it opens the study, says so, and does its part of the work when told to.

``Workstations`` is the parent's side, ``work`` the child's. The jobs are functions of this module, because their
names travel to the child.
"""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from db.store import SqlStore
from labels.ways_out import RoomOutlets
from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.services.accounts import sign_in
from pharmacy_app.services.counts import CountForm, record_count
from pharmacy_app.services.desk import Act, Credentials, Desk, Session
from pharmacy_app.services.disposition import LossForm, break_vials
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.preparation import ReserveForm, proposals, reserve
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.pharmacy import CHEAP, Clock, Pharmacy, StubPapers

PATIENCE_S = 60
"""How long a workstation is waited for."""


@dataclass(frozen=True, slots=True)
class Study:
    """What a workstation must know to open the study: where, who is signed in, what time it is."""

    url: str
    sessions: dict[str, Session]
    now: datetime

    def open(self) -> Pharmacy:
        """The study at this workstation's own desk."""
        clock = Clock(self.now)
        desk = Desk(SqlStore.open(self.url), CHEAP, StubPapers(), clock, "0.0-test", RoomOutlets())
        # No path: the workstation knows the address alone.
        return Pharmacy(desk, clock, None, sessions=dict(self.sessions))  # type: ignore[arg-type]


Job = tuple[Callable[..., object], tuple[Any, ...]]


class Workstations:
    """Some workstations that begin their jobs at the same moment."""

    def __init__(self, number: int) -> None:
        fresh = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        for _ in range(number):
            ours, theirs = fresh.Pipe()
            process = fresh.Process(target=work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)

    def at_once(self, study: Study, *jobs: Job) -> list[object]:
        """Each job at a workstation; what a job refused stands in place of its answer."""
        lines = self._lines[: len(jobs)]
        for line, job in zip(lines, jobs, strict=True):
            line.send((study, job))
        for line in lines:
            assert self._hear(line) == "ready"
        for line in lines:
            line.send("go")
        return [self._hear(line) for line in lines]

    @staticmethod
    def _hear(line: Connection) -> object:
        assert line.poll(PATIENCE_S), "a workstation says nothing"
        answer = line.recv()
        assert not isinstance(answer, _Broken), answer.words
        return answer

    def close(self) -> None:
        """Send all home."""
        for line in self._lines:
            line.send(None)
            line.close()
        for process in self._processes:
            process.join(PATIENCE_S)
            process.close()


@dataclass(frozen=True, slots=True)
class _Broken:
    """A mistake in a workstation, told to its parent."""

    words: str


@dataclass(frozen=True, slots=True)
class Turned:
    """What a workstation was told instead of an answer."""

    sentence: str
    unavailable: bool = False


def work(line: Connection) -> None:
    """Do what comes over the line until nothing comes."""
    while (asked := line.recv()) is not None:
        try:
            study, (do, values) = asked
            pharmacy = study.open()
            line.send("ready")
            line.recv()
            try:
                line.send(_answer(pharmacy, do, values))
            finally:
                pharmacy.desk.store.close()
        except Exception as error:  # the parent must hear of it, whatever it is
            import traceback

            line.send(_Broken(f"{error!r}\n{traceback.format_exc()}"))


def _answer(pharmacy: Pharmacy, do: Callable[..., object], values: tuple[Any, ...]) -> object:
    try:
        return do(pharmacy, *values)
    except Refused as refused:
        return Turned(refused.faults[0].sentence)
    except Unavailable as unavailable:
        return Turned(str(unavailable), unavailable=True)


# --- jobs


def reserves(pharmacy: Pharmacy, dose_id: str, units: tuple[str, ...], who: str = "paula") -> str:
    """Reserve these vials."""
    return pharmacy.reserve(dose_id, units, who).act_id


def reserves_as(pharmacy: Pharmacy, act: Act, form: ReserveForm) -> bytes:
    """Reserve under an act that others may be doing too."""
    return reserve(pharmacy.desk, act, form, pharmacy.sign("paula")).body()


def takes_all(pharmacy: Pharmacy, doses: tuple[str, ...]) -> list[str]:
    """Ask for a plan for each dose and reserve it; whoever is too late looks at the shelf again."""
    return [_takes(pharmacy, dose_id) for dose_id in doses]


def _takes(pharmacy: Pharmacy, dose_id: str) -> str:
    for _ in range(40):
        with pharmacy.desk.store.read() as reader:
            best = proposals(pharmacy.desk, reader, dose_id).best
        if best is None:
            return "no vials left"
        try:
            pharmacy.reserve(dose_id, tuple(draw.unit_number for draw in best.draws))
        except Refused:
            continue
        return "reserved"
    return "never got through"


def receives(pharmacy: Pharmacy, numbers: tuple[str, ...], vials: str = "10") -> list[str]:
    """Receive shipments, one after the other."""
    lots = (LotTyped("1", "A1", "2027-03-31", vials),)
    return [unit for number in numbers for unit in pharmacy.receive(number, lots)]


def quarantines(pharmacy: Pharmacy, units: tuple[str, ...], why: str) -> str:
    """Take vials aside."""
    return quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm(units, why)).act_id


def mistypes(pharmacy: Pharmacy, tries: int) -> list[str]:
    """Sign in with a wrong password some times."""
    told = []
    for _ in range(tries):
        try:
            sign_in(pharmacy.desk, Credentials("paula", "wrong"), "PC")
        except Refused as refused:
            told.append(refused.faults[0].sentence)
    return told


def counts(pharmacy: Pharmacy, form: CountForm, who: str, second: str) -> str:
    """Hand in a count."""
    event = record_count(pharmacy.desk, pharmacy.act(who), form, pharmacy.sign(who), pharmacy.sign(second))
    return str(event.content["count_number"])


def breaks(pharmacy: Pharmacy, unit: str) -> str:
    """Record a vial as broken."""
    signs = pharmacy.sign("tim"), pharmacy.sign("carla")
    return break_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((unit,), "fell"), *signs).act_id
