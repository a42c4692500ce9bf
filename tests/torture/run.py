"""The long trials by command: ``python3 installer/dev.py torture [values|file|cuts|disk …]``; all when none is named.

values   every byte of every stored value, one at a time; ``verify`` must find it
file     bytes of the SQLite file's pages: found, refused at opening, or nothing stored has changed
cuts     a working pharmacy killed at random moments: 500 times on SQLite, 500 times on PostgreSQL
disk     a disk that fills up and writes that fail, at every page and every size in turn

--every N    each N-th byte alone (values, file)
--cuts N     how often the power goes
--tables A,B these tables alone (values, file)
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import CHOSEN, Files, url_at
from tests.services.pharmacy import open_pharmacy
from tests.torture.cuts import Cuts, chosen_server, cut_once, window_opens
from tests.torture.disk import Fills, by_disk, by_pages, by_servers_disk, by_size, may_mount, prepared
from tests.torture.flips import TABLES, Tally, flip_file, flip_values, lines_of, small_study

LEDGER = (
    "journal_event",
    "journal_head",
    "credential",
    "stored_paper",
    "ledger_line",
    "ledger_vial",
    "vial",
    "stock",
    "lot",
    "mg_line",
    "correction",
    "period",
)
"""The tables whose pages are turned byte by byte in the file itself."""


@contextmanager
def room() -> Iterator[Path]:
    """A folder for the trial, in memory where there is one: nothing is asked of the disk but to be quick."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def say(*lines: str) -> None:
    """Lines for whoever waits."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _study(folder: Path) -> Path:
    path = folder / "study.sqlite"
    pharmacy = open_pharmacy(path)
    small_study(pharmacy)
    pharmacy.desk.store.close()
    return path


def _tell(title: str, tally: Tally, began: float) -> int:
    say("", f"{title}, {time.monotonic() - began:.0f} s", "", *lines_of(tally), *tally.missed)
    return len(tally.missed)


def values(options: argparse.Namespace) -> int:
    """Every stored value, byte by byte."""
    began = time.monotonic()
    with room() as folder:
        tally = flip_values(_study(folder), options.tables or TABLES, every=options.every)
    return _tell("Bytes of stored values", tally, began)


def file(options: argparse.Namespace) -> int:
    """The file's pages, byte by byte."""
    began = time.monotonic()
    with room() as folder:
        tally = flip_file(_study(folder), options.tables or LEDGER, every=options.every)
    return _tell("Bytes of the file", tally, began)


AFRESH = 20
"""After so many cuts a new study is begun: proving a short journal is quick, so every one is proven."""


def cuts(options: argparse.Namespace) -> int:
    """A working pharmacy killed at random moments, on either kind of database."""
    wrong = 0
    for kind in options.databases:
        began = time.monotonic()
        tally, dice = Cuts(), random.Random(options.cuts)
        server = chosen_server() if kind == "postgresql" else None
        try:
            with room() as folder:
                for number in range(options.cuts):
                    path = folder / f"study-{number // AFRESH}.sqlite"
                    if number % AFRESH == 0:
                        open_pharmacy(path).desk.store.close()
                    falls = server is not None and number % 5 == 4
                    cut_once(tally, url_at(path), dice, server.cluster if server and falls else None)
                    if number % AFRESH == AFRESH - 1:
                        window_opens(tally, url_at(path))
                    if number % 100 == 99:
                        say(f"{kind}: {number + 1} cuts, {len(tally.wrong)} wrong, {time.monotonic() - began:.0f} s")
        finally:
            if server is not None:
                server.stop()
                CHOSEN[0] = Files()
        say("", f"Power cuts on {kind}, {time.monotonic() - began:.0f} s", "", *tally.lines())
        wrong += len(tally.wrong)
    return wrong


def disk(_options: argparse.Namespace) -> int:
    """Full disks and writes that fail, for the file and, where a file system can be mounted, for the server."""
    fills, began = Fills(), time.monotonic()
    with room() as folder:
        base = folder / "base.sqlite"
        pharmacy = open_pharmacy(base)
        acts = prepared(pharmacy)
        pharmacy.desk.store.close()
        by_pages(fills, base, folder, pharmacy.sessions, acts)
        by_size(fills, base, folder, pharmacy.sessions, acts)
        if may_mount():
            by_disk(fills, base, folder, pharmacy.sessions, acts)
            by_servers_disk(fills, folder)
        else:
            say("No file system can be mounted here: the full disk itself, and the server's, were left out.")
    say("", f"Full disks, {time.monotonic() - began:.0f} s", "", *fills.lines())
    return len(fills.wrong)


TRIALS: dict[str, Callable[[argparse.Namespace], int]] = {"values": values, "file": file, "cuts": cuts, "disk": disk}


def main(arguments: list[str]) -> int:
    """Run the trials named, and give 1 when one of them has missed anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", nargs="*", choices=[[], *TRIALS], metavar="trial")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--databases", type=lambda text: text.split(","), default=["sqlite", "postgresql"])
    parser.add_argument("--tables", type=lambda text: tuple(text.split(",")), default=())
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    missed = sum([TRIALS[name](options) for name in options.trials or TRIALS])
    say("", f"{missed} missed." if missed else "Nothing was missed.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
