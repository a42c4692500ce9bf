"""The disk fills up, or a write fails, at every place of an act in turn: it is undone whole and done again later.

Three ways: SQLite is allowed one page more each time; the system lets no file grow past a size that rises by a part of
a page (so that a page is written by half); a file system in memory has a little more room each time. The last also
for a PostgreSQL server whose tables lie on such a file system.
"""

import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from db import schema
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.services.administration import AdministrationForm, administer
from pharmacy_app.services.counts import CountForm, record_count
from pharmacy_app.services.documents import PURPOSES, SUPPORTERS_PERMISSION, DocumentForm, attach_document
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.preparation import ReserveForm, reserve
from pharmacy_app.services.stock import receive
from tests.databases import CHOSEN, Files, other_hands
from tests.services.pharmacy import Clock, Pharmacy, desk_at, open_pharmacy
from tests.torture.cuts import chosen_server
from tests.torture.flips import dump

NO_LIMIT = 1_073_741_823
"""SQLite's own limit of pages."""

Do = Callable[[Pharmacy], object]


def prepared(pharmacy: Pharmacy) -> dict[str, Do]:
    """Bring a new pharmacy so far that each of these acts can be done next; the same act whenever it is done."""
    units = tuple(pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "12"),)))
    for number in ("001", "002"):
        pharmacy.enroll(number)
    released = pharmacy.dose("released", "001", units=units[:2])
    decided = pharmacy.dose("decided", "002")
    acts = {who: [pharmacy.act(who) for _ in range(3)] for who in ("tim", "paula")}
    began, ended = pharmacy.time(), pharmacy.time(60)
    seq = pharmacy.count()
    shipment = pharmacy.shipment("S-2", (LotTyped("1", "A9", "2027-03-31", "60"),))
    attached = DocumentForm(
        "Receipt", SUPPORTERS_PERMISSION, "", "Dr. A. Ito, Pfizer", pharmacy.day(), "receipt.txt", permits=PURPOSES
    )

    def gives(at: Pharmacy) -> object:
        at.clock.now = Clock().now
        at.clock.forward(minutes=60)
        return administer(at.desk, acts["paula"][0], AdministrationForm(released, began, ended, "1.46", "mg"))

    def counts(at: Pharmacy) -> object:
        form = CountForm("Refrigerator 1", seq, codes=units[2:])
        return record_count(at.desk, acts["tim"][1], form, at.sign("tim"), at.sign("carla"))

    def reserves(at: Pharmacy) -> object:
        form = ReserveForm(decided, units[2:4], units[2:4])
        return reserve(at.desk, acts["paula"][1], form, at.sign("paula"))

    return {
        "receive 60 vials": lambda at: receive(at.desk, acts["tim"][0], shipment),
        "reserve for a dose": reserves,
        "record as given": gives,
        "count": counts,
        "attach 200 kB": lambda at: attach_document(at.desk, acts["paula"][2], attached, b"A receipt. " * 18_600),
    }


@dataclass(slots=True)
class Fills:
    """What came of it: by way and act how often it was refused until it went through, the sentences, what was wrong."""

    refused: dict[str, int] = field(default_factory=dict)
    said: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The figures in words."""
        return [
            *(f"{what}: refused {times} times, each undone whole, then done." for what, times in self.refused.items()),
            *(f"{times} × “{words}”" for words, times in self.said.most_common()),
            *self.wrong,
        ]


Limit = Callable[[int | None], None]
"""Sets the room there is; ``None`` gives it back."""


def fill(
    fills: Fills,
    what: str,
    pharmacy: Pharmacy,
    do: Do,
    limit: Limit,
    step: int,
    *,
    state: Callable[[], Any],
    must_refuse: bool = True,
) -> None:
    """Do an act with a step of room more each time until it goes through; ``state`` is all that is stored."""
    before, events, room, refusals = state(), pharmacy.count(), 0, 0
    while True:
        limit(room)
        try:
            do(pharmacy)
        except Unavailable as unavailable:
            words = str(unavailable)
        else:
            words = ""
        finally:
            limit(None)
        if not words:
            break
        refusals += 1
        fills.said[words] += 1
        if state() != before:
            fills.wrong.append(f"{what}, room {room}: something of it was left")
        if not (found := pharmacy.desk.store.verify()).sound:
            fills.wrong.append(f"{what}, room {room}: {found.trouble}")
        room += step
    fills.refused[what] = refusals
    if refusals == 0 and must_refuse:
        fills.wrong.append(f"{what}: it was never refused, so nothing was tried")
    if pharmacy.count() != events + 1 or not pharmacy.desk.store.verify().sound:
        fills.wrong.append(f"{what}: done at last, but not as one sound event")
    do(pharmacy)
    if pharmacy.count() != events + 1:
        fills.wrong.append(f"{what}: the same act once more was recorded twice")


def _copies(
    base: Path, folder: Path, sessions: dict[str, Any], names: dict[str, Do]
) -> Iterator[tuple[str, Do, Pharmacy]]:
    for number, (name, do) in enumerate(names.items()):
        path = folder / f"copy-{number}.sqlite"
        shutil.copyfile(base, path)
        clock = Clock()
        pharmacy = Pharmacy(desk_at(path, clock), clock, path, sessions=dict(sessions))
        yield name, do, pharmacy
        pharmacy.desk.store.close()
        path.unlink()


def _engine(pharmacy: Pharmacy) -> Any:
    return pharmacy.desk.store._engine  # type: ignore[attr-defined]


def by_pages(
    fills: Fills, base: Path, folder: Path, sessions: dict[str, Any], acts: dict[str, Do], step: int = 1
) -> None:
    """SQLite may take so many pages more."""
    for name, do, pharmacy in _copies(base, folder, sessions, acts):
        allowed = {"pages": NO_LIMIT}
        (pages,) = sqlite3.connect(pharmacy.path).execute("PRAGMA page_count").fetchone()

        def told(connection: sqlite3.Connection, *_more: object, allowed: dict[str, int] = allowed) -> None:
            connection.execute(f"PRAGMA max_page_count={allowed['pages']}")

        def limit(room: int | None, allowed: dict[str, int] = allowed, pages: int = pages) -> None:
            allowed["pages"] = NO_LIMIT if room is None else pages + room

        event.listen(_engine(pharmacy), "checkout", told)
        # A count fits into what its tables have left of their last pages.
        state = partial(dump, pharmacy.path)
        fill(fills, f"pages: {name}", pharmacy, do, limit, step, state=state, must_refuse=name != "count")


def by_size(
    fills: Fills, base: Path, folder: Path, sessions: dict[str, Any], acts: dict[str, Do], step: int = 1030
) -> None:
    """No file may grow past a size, a quarter of a page more each time."""
    for name, do, pharmacy in _copies(base, folder, sessions, acts):
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

        def limit(room: int | None, hard: int = hard) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard if room is None else room, hard))

        pharmacy.count()
        fill(fills, f"size: {name}", pharmacy, do, limit, step, state=partial(dump, pharmacy.path))


def may_mount() -> bool:
    """Whether a file system of our own can be made here."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A small file system in memory; raises ``OSError`` where none may be mounted."""
    place = folder / "small"
    place.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "torture", place]):
        raise OSError("nothing may be mounted here")
    try:
        yield place
    finally:
        subprocess.check_call(["umount", place])
        place.rmdir()


def leaving(place: Path, room: int | None) -> None:
    """Fill the disk until so many bytes are left; ``None`` frees it."""
    filler = place / "filler"
    filler.unlink(missing_ok=True)
    if room is None:
        return
    there = os.statvfs(place)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, there.f_bavail * there.f_frsize - room))


def by_disk(
    fills: Fills, base: Path, folder: Path, sessions: dict[str, Any], acts: dict[str, Do], step: int = 4096
) -> None:
    """The file system itself is full but for so many bytes."""
    with small_disk(folder, 16) as place:
        for name, do, pharmacy in _copies(base, place, sessions, acts):
            pharmacy.count()
            fill(
                fills,
                f"disk: {name}",
                pharmacy,
                do,
                partial(leaving, place),
                step,
                state=partial(dump, pharmacy.path),
            )


def by_servers_disk(fills: Fills, folder: Path, step: int = 16_384) -> None:
    """A study's tables on a full disk of the server; the server's own log has room."""
    open_to_all = Path(tempfile.mkdtemp(prefix="disk-"))
    open_to_all.chmod(0o755)
    with small_disk(open_to_all, 64) as place:
        server = chosen_server()
        try:
            (place / "tables").mkdir()
            if server.cluster._user is not None and server.cluster._group is not None:
                os.chown(place / "tables", server.cluster._user, server.cluster._group)
            server.cluster.run(f"CREATE TABLESPACE small LOCATION '{place / 'tables'}'")
            base = folder / "server.sqlite"
            pharmacy = open_pharmacy(base)
            acts = prepared(pharmacy)
            pharmacy.desk.store.close()
            for number, (what, do) in enumerate(acts.items()):
                path = folder / f"server-{number}.sqlite"
                server.copy(base, path)
                server.cluster.run(f"ALTER DATABASE {server.name(path)} SET TABLESPACE small")
                clock = Clock()
                at = Pharmacy(desk_at(path, clock), clock, path, sessions=dict(pharmacy.sessions))
                state = partial(_server_state, at)
                # Small acts fit into what their tables have left of their last pages.
                must_refuse = what.startswith(("receive", "attach"))
                limit = partial(leaving, place)
                fill(fills, f"server's disk: {what}", at, do, limit, step, state=state, must_refuse=must_refuse)
                at.desk.store.close()
                server.cluster.run(f"DROP DATABASE {server.name(path)} WITH (FORCE)")
        finally:
            server.stop()
            CHOSEN[0] = Files()
    open_to_all.rmdir()


def _server_state(pharmacy: Pharmacy) -> list[Any]:
    with other_hands(pharmacy.path) as connection:
        return [
            sorted(map(repr, connection.execute(select(table))))
            for table in (*schema.journal.sorted_tables, *schema.views.sorted_tables)
        ]
