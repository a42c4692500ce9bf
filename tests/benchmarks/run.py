"""Benchmarks, each beside its floor in the same run: medians and ratios, since machines are noisy.

``python installer/dev.py bench`` runs them and prints a table; ``bench batch`` goes through files of up to 100,000
doses and ``bench ledger`` through ledgers of up to 1,000,000 lines, which takes long; ``bench records`` prints every
long record and ``bench exports`` takes every table away from ledgers of up to 100,000; ``bench labels`` prints labels.
Nothing here passes or fails a test.
"""

import csv
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from tests.benchmarks import exports, labels, ledger, records
from tests.benchmarks.measure import ROUNDS, pairs

BARE_WINDOW = """
import time
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QMainWindow
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            print(time.time()); app.quit()
        return False
app = QApplication([])
window = QMainWindow(); watch = Watch(); window.installEventFilter(watch); window.resize(1180, 780); window.show()
app.exec()
"""

OUR_WINDOW = """
import sys, time
from PySide6.QtCore import QEvent, QObject
import ui.app
from ui.app import App
class Watch(QObject):
    painted = False
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not self.painted:
            self.painted = True
            print(time.time())
            if sys.argv[1] == "paint":
                ui.app.QApplication.instance().quit()
        return False
watch = Watch()
start, found = App.start, App._found
def watched_start(self):
    self.window.installEventFilter(watch); start(self)
def watched_found(self, opened):
    found(self, opened); print(time.time()); self.bridge.close(); ui.app.QApplication.instance().quit()
App.start, App._found = watched_start, watched_found
from pharmacy_app.windows import show_study
show_study(sys.argv[2])
"""

BARE_IMPORTS = """
import PySide6.QtWidgets, sqlalchemy, reportlab.pdfgen.canvas
import time; print(time.time())
"""


def child(code: str, *arguments: str) -> list[float]:
    """Seconds from the start of a Python process to each moment it prints."""
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    # Installed packages come compiled; ours are compiled once by whoever starts them, unless this forbids it.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return [float(line) - began for line in done.stdout.split()]


def timed(work: Callable[[], object], repeat: int) -> float:
    """Seconds for one call, from ``repeat`` of them."""
    began = time.perf_counter()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - began) / repeat


def say(name: str, ours: float, floor_name: str, floor: float, ratio: float, goal: str) -> None:
    """One line of the table."""
    line = f"{name:<38}{ours * 1000:>10.2f} ms   {floor_name:<40}{floor * 1000:>10.3f} ms   {ratio:>7.2f} ×   {goal}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def start_up(url: str) -> None:
    """First paint and readiness of the window, as whole processes."""
    result = pairs(lambda: child(OUR_WINDOW, "paint", url)[0], lambda: child(BARE_WINDOW)[0])
    say("first paint", result[0], "a bare QMainWindow", *result[1:], "at most 1.5 ×")
    result = pairs(lambda: child(OUR_WINDOW, "ready", url)[1], lambda: child(BARE_IMPORTS)[0])
    say("ready to sign in", result[0], "imports of Qt, SQLAlchemy, reportlab", *result[1:], "at most 1.5 ×")


def decisions() -> None:
    """One decision by each of the slowest and the fastest formula, against the bare arithmetic of one BSA."""
    from decimal import Decimal

    from pharmacy_app.domain.dosing import decide
    from pharmacy_app.domain.protocol import shipped_protocol
    from pharmacy_app.domain.settings import BsaFormula, DoseRounding, RoundingMode, Signed, StudySettings
    from pharmacy_app.services.calculator import request_from

    protocol = shipped_protocol()
    for formula in (BsaFormula.MOSTELLER, BsaFormula.BOYD):
        settings = StudySettings(
            bsa_formula=Signed(formula, "benchmark", 0),
            dose_rounding=Signed(DoseRounding(Decimal("0.01"), RoundingMode.HALF_UP), "benchmark", 0),
        )
        request = request_from(SIXTH_CYCLE, settings, lambda _day: protocol, date(2026, 7, 20))
        result = pairs(
            lambda asked=request: timed(lambda: decide(asked), 100),  # type: ignore[misc]
            lambda: timed(lambda: (Decimal(171) * Decimal(70) / Decimal(3600)).sqrt() * Decimal("0.8"), 1000),
        )
        say(f"one decision ({formula})", result[0], "the bare decimal arithmetic", *result[1:], "under 1 ms")


SIXTH_CYCLE = {
    "height": "171",
    "weight": "70",
    "cycle": "6",
    "day": "1",
    "level": "-1",
    "planned_on": "2026-07-20",
    "birth": "1974-03-09",
    "prior_weight_kg": "72",
    "prior_weight_on": "2026-06-29",
    "prescribed_mg": "0.73",
    "given": "1.1.1 2026-03-02; 1.1.8 2026-03-09; 1.1.15 2026-03-16; 1.2.1 2026-03-30; 1.2.8 2026-04-06;"
    " 1.3.1 2026-04-27 -1; 1.3.8 2026-05-04 -1; 1.4.1 2026-05-25 -1; 1.4.8 2026-06-01 -1; 1.5.1 2026-06-22 -1;"
    " 1.5.8 2026-06-29 -1",
    "level_changes": "1.3 -1 toxicity",
    "responses": "1.1 2026-03-25 CR",
    "marrows": "2026-02-20 45; 2026-03-15 4; 2026-03-22 2; 2026-06-15 1",
    "toxicities": "2026-04-15 3 related",
    "progression": "no",
    "toxicity_grade": "1",
    "toxicity_baseline_grade": "0",
    "liver_toxicity_suspected": "no",
    "bilirubin": "0.9",
    "bilirubin_upper_limit": "1.2",
    "ast": "35",
    "ast_upper_limit": "40",
    "alt": "30",
    "alt_upper_limit": "40",
    "creatinine_clearance": "80",
    "anc": "1.4",
    "platelets": "90",
    "anc_before_treatment": "0.8",
    "platelets_before_treatment": "40",
    "anc_before_last_cycle": "1.2",
    "platelets_before_last_cycle": "85",
}
"""A dose with everything known: the last cycle, after a reduction, with all criteria answered."""


def batches(folder: Path) -> None:
    """Files of 1,000 to 100,000 doses through the command line: seconds and highest memory of the whole process."""
    for rows in (1_000, 10_000, 100_000):
        path = folder / f"doses-{rows}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(SIXTH_CYCLE))
            writer.writeheader()
            for number in range(rows):
                # Each row another body: nothing can be remembered from the row before.
                writer.writerow(
                    {
                        **SIXTH_CYCLE,
                        "weight": f"{60 + number % 2000 / 100:.2f}",
                        "height": f"{150 + number % 487 / 10:.1f}",
                    }
                )
        command = [sys.executable, "-m", "pharmacy_app", "calc", "--formula", "Mosteller", "--increment-mg", "0.01"]
        began = time.perf_counter()
        with Path(os.devnull).open("wb") as nowhere:
            started = subprocess.Popen([*command, "--rounding", "half up", "--batch", str(path)], stdout=nowhere)
            _, status, used = os.wait4(started.pid, 0)
        seconds = time.perf_counter() - began
        started.returncode = os.waitstatus_to_exitcode(status)
        sys.stdout.write(
            f"batch of {rows:>7,} doses {seconds:>8.1f} s {seconds / rows * 1000:>7.3f} ms each, highest memory"
            f" {used.ru_maxrss / 1024:>6.0f} MiB, exit code {started.returncode}\n"
        )
        sys.stdout.flush()


def acts(folder: Path) -> None:
    """One act (a weight) through service, journal and views, against a durable three-row write in bare SQLite."""
    from pharmacy_app.bootstrap import create_desk, url_of
    from pharmacy_app.demo import DemoDay, MovableClock, set_up, weigh
    from pharmacy_app.services.subjects import SubjectForm, enroll

    clock = MovableClock(datetime(2026, 1, 5, 15, tzinfo=UTC))
    day: DemoDay = set_up(create_desk(url_of(folder / "acts.sqlite"), clock=clock), clock)
    enroll(day.desk, day.act("pharmacist"), SubjectForm("000-001", "1974-03-09"))
    bare = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    for table in "abc":
        bare.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, content TEXT)")

    def three_rows() -> None:
        bare.execute("BEGIN IMMEDIATE")
        for table in "abc":
            bare.execute(f"INSERT INTO {table} (content) VALUES (?)", ("x" * 300,))
        bare.execute("COMMIT")

    result = pairs(lambda: timed(lambda: weigh(day, "000-001", "70"), 20), lambda: timed(three_rows, 20))
    say("one act (record a weight)", result[0], "three durable rows in bare SQLite", *result[1:], "")
    few = timed(lambda: weigh(day, "000-001", "70"), 50)
    for _ in range(2000):
        weigh(day, "000-001", "70")
    many = timed(lambda: weigh(day, "000-001", "70"), 50)
    say("the same after 2,000 more acts", many, "the same before them", few, many / few, "about 1 ×")
    bare.close()
    day.desk.store.close()


def main() -> None:
    """Run every benchmark."""
    from pharmacy_app.bootstrap import url_of
    from pharmacy_app.demo import make_demonstration

    sys.stdout.write(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors\n")
    for name, of_a_long_ledger in (("records", records.main), ("exports", exports.main)):
        if sys.argv[1:2] == [name]:
            of_a_long_ledger(sys.argv[2:])
            return
    sys.stdout.write(f"medians of {ROUNDS} pairs; the ratio is the median of the pairs' ratios\n\n")
    if sys.argv[1:2] == ["labels"]:
        labels.main(say)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "batch" in sys.argv[1:]:
            batches(folder)
            return
        if sys.argv[1:2] == ["ledger"]:
            ledger.main([*sys.argv[2:], "--folder", str(folder)])
            return
        database = folder / "demonstration.sqlite"
        make_demonstration(database).desk.store.close()
        start_up(url_of(database))
        decisions()
        acts(folder)


if __name__ == "__main__":
    main()
