"""The power goes at any moment: everything that was said to be recorded is there, and the journal is sound.

``POWER_CUTS=500`` in the environment makes it a long run.
"""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.conftest import Template
from tests.services.pharmacy import Clock, Pharmacy, desk_at

CUTS = int(os.environ.get("POWER_CUTS", "20"))
ROOT = Path(__file__).resolve().parents[2]


def child(path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.db.power_cut_child", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_what_was_acknowledged_survives_a_power_cut(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    template.copy_to(path).desk.store.close()
    dice = random.Random(CUTS)
    promised: list[str] = []
    waiting = [child(path) for _ in range(2)]
    cut_while_working = 0
    try:
        for cut in range(CUTS):
            if cut + len(waiting) < CUTS:
                waiting.append(child(path))
            worker = waiting.pop(0)
            heard: list[str] = []
            first = threading.Event()

            def listen(
                worker: "subprocess.Popen[str]" = worker, heard: list[str] = heard, first: threading.Event = first
            ) -> None:
                assert worker.stdout is not None
                for line in worker.stdout:
                    if line.endswith("\n"):
                        heard.append(line.strip())
                        first.set()

            ear = threading.Thread(target=listen)
            ear.start()
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
            if cut % 4:
                assert first.wait(timeout=20), worker.stderr.read() if worker.stderr else ""
            time.sleep(dice.uniform(0, 0.12))
            worker.kill()
            cut_while_working += worker.wait() != 0
            ear.join()
            for pipe in (worker.stdin, worker.stdout, worker.stderr):
                if pipe:
                    pipe.close()
            promised.extend(heard)
            clock = Clock()
            pharmacy = Pharmacy(desk_at(path, clock), clock, path)
            with pharmacy.desk.store.read() as reader:
                missing = [act_id for act_id in heard if reader.event_of_act(act_id) is None]
                assert missing == [], f"acknowledged and gone after cut {cut}"
                stock = sum(line.vials for line in reader.stock())
            assert stock == len(pharmacy.vials())
            if cut % 5 == 4 or cut == CUTS - 1:
                pharmacy.assert_sound()
            pharmacy.desk.store.close()
    finally:
        for worker in waiting:
            worker.kill()
            worker.communicate()
    clock = Clock()
    pharmacy = Pharmacy(desk_at(path, clock), clock, path)
    pharmacy.assert_sound()
    with pharmacy.desk.store.read() as reader:
        assert all(reader.event_of_act(act_id) is not None for act_id in promised)
    pharmacy.desk.store.close()
    assert cut_while_working == CUTS, "a worker ended by itself"
    assert len(promised) > CUTS * 2, "the workers hardly worked"
    assert len(promised) == len(set(promised))
