"""The power goes while a pharmacy works: what was said to be recorded is there, nothing is there by half.

Each cut: a workstation is started, works through the acts of days, and is killed at a random moment. Then the
database is opened as the app opens it, every act that was acknowledged is looked for, the journal is proven, and it may
have one event more than were acknowledged, never two: the one whose acknowledgement the kill overtook.
"""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from db.store import SqlStore
from pharmacy_app.services.ports import LedgerFilter
from tests.cluster import Cluster
from tests.databases import CHOSEN, Server
from tests.db.power_cut_child import opened, works

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = {"sqlite": 0.9, "postgresql": 1.5}
"""A cut comes at most so long after a workstation is ready: a round of all acts, or a few."""
A_MOMENT_S = 0.03
"""About as long as an act takes."""
PATIENCE_S = 60


def _contexts() -> Any:
    """Workstations are forked from a clean process that has read the program already, where there is such a thing."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.db.power_cut_child"])
    return context


def _workstation(line: Connection, url: str) -> None:
    def say(act_id: str, kind: str) -> None:
        line.send((act_id, kind))

    try:
        pharmacy = opened(url, say)
        line.send(("", ""))
        works(pharmacy)
    except Exception as error:
        line.send(("trouble", repr(error)))


@dataclass(slots=True)
class Cuts:
    """What came of the cuts: how many, acts acknowledged, the last act before each, and what was wrong."""

    cuts: int = 0
    servers: int = 0
    acknowledged: int = 0
    overtaken: int = 0
    windows: int = 0
    last: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The figures in words."""
        return [
            f"{self.cuts} cuts, {self.servers} of them of the server; {self.acknowledged:,} acts acknowledged;"
            f" {self.overtaken} recorded whole, but cut before they could be acknowledged;"
            f" {self.windows} times the window was opened.",
            "Last act before the cut: " + ", ".join(f"{kind} {n}" for kind, n in self.last.most_common()) + ".",
            *self.wrong,
        ]


def cut_once(
    cuts: Cuts, url: str, dice: random.Random, cluster: Cluster | None = None, after: int | None = None
) -> None:
    """Let a workstation work and kill it, or the server under it; look at what is left.

    The cut comes after so many acts and a moment more, or, when ``after`` is left out, at any time.
    """
    with SqlStore.open(url) as store, store.read() as reader:
        before = reader.head().seq
    context = _contexts()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_workstation, args=(theirs, url), daemon=True)
    process.start()
    theirs.close()
    heard: list[tuple[str, str]] = []
    if not ours.poll(PATIENCE_S):
        raise RuntimeError("the workstation does not start")
    ours.recv()
    while after is not None and len(heard) < after and ours.poll(PATIENCE_S):
        heard.append(ours.recv())
    longest = LONGEST_S[make_url(url).get_backend_name()] if after is None else A_MOMENT_S
    ends = time.monotonic() + dice.uniform(0, longest)
    while (left := ends - time.monotonic()) > 0 and ours.poll(left):
        heard.append(ours.recv())
    if cluster is None:
        process.kill()
    else:
        fell(cluster, hard=dice.random() < 0.5)
    try:
        while ours.poll(PATIENCE_S):
            heard.append(ours.recv())
    except EOFError:
        pass
    process.join(PATIENCE_S)
    trouble = [kind for act_id, kind in heard if act_id == "trouble"]
    heard = [each for each in heard if each[0] != "trouble"]
    if cluster is not None:
        cluster.start()
    if cluster is None and (trouble or process.exitcode != -signal.SIGKILL):
        cuts.wrong.append(f"cut {cuts.cuts}: the workstation ended by itself: {trouble}")
    if cluster is not None and not all("Unavailable" in words for words in trouble):
        cuts.wrong.append(f"cut {cuts.cuts}: the workstation was not told in plain words: {trouble}")
    cuts.cuts += 1
    cuts.servers += cluster is not None
    cuts.acknowledged += len(heard)
    cuts.last[heard[-1][1] if heard else "opening"] += 1
    look(cuts, url, before, heard)


def look(cuts: Cuts, url: str, before: int, heard: list[tuple[str, str]]) -> None:
    """Open as the app does and look for what was promised."""
    with SqlStore.open(url) as store:
        with store.read() as reader:
            gone = [f"{kind} {act_id}" for act_id, kind in heard if reader.event_of_act(act_id) is None]
            more = reader.head().seq - before - len(heard)
            page = reader.ledger(LedgerFilter(), offset=0, limit=50)
            vials = sum(line.vials for line in reader.stock())
        found = store.verify()
    if gone:
        cuts.wrong.append(f"cut {cuts.cuts}: acknowledged and gone: {', '.join(gone)}")
    if more not in (0, 1):
        cuts.wrong.append(f"cut {cuts.cuts}: {more} events more than were acknowledged")
    if not found.sound:
        cuts.wrong.append(f"cut {cuts.cuts}: {found.trouble}")
    if vials and not page:
        cuts.wrong.append(f"cut {cuts.cuts}: {vials} vials and no line of the ledger")
    cuts.overtaken += more


def window_opens(cuts: Cuts, url: str) -> None:
    """Open the real window without a screen and wait for the ledger's lines; its sign-in is an event of its own."""
    command = [sys.executable, "-m", "tests.torture.window", url]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    cuts.windows += 1
    if done.returncode:
        cuts.wrong.append(f"cut {cuts.cuts}: the window did not show the ledger: {done.stderr[-300:]}")


def fell(cluster: Cluster, *, hard: bool) -> None:
    """The server ends without tidying up: told to (SIGQUIT), or all of its processes killed at once (SIGKILL)."""
    if not hard:
        cluster.kill()
        return
    cluster._let_go()
    server = cluster._server
    assert server is not None
    parts = [server.pid, *_children(server.pid)]
    for part in parts:
        try:
            os.kill(part, signal.SIGKILL)
        except ProcessLookupError:
            continue
    server.wait(PATIENCE_S)


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(folder.name))
    return found


class SyncedServer(Server):
    """A server that waits for its disk, as a pharmacy's does."""

    def __init__(self) -> None:
        super().__init__()
        self._cluster = Cluster("fsync=on", "full_page_writes=on")


def chosen_server() -> SyncedServer:
    """From now on the databases of this program lie on such a server."""
    server = SyncedServer()
    CHOSEN[0] = server
    return server
