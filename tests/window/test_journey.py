"""The day of the study in a real window: started here, lived by ``journey.py``, and judged by what is on record.

The journey sees what a person sees; this test opens the database afterwards and looks whether the record says the
same. Every expected number is hand arithmetic, written beside it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from pharmacy_app.bootstrap import open_desk, url_of
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.printing import kept_paper

pytestmark = pytest.mark.window

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
"""The system's Python, because ``pyatspi`` is a package of the system and not of the virtual environment."""
TIMEOUT_S = 240
MG = Decimal


def _missing() -> list[str]:
    """What a run in a real window needs and this machine has not."""
    lacking = [tool for tool in ("Xvfb", "dbus-run-session", "xdotool") if shutil.which(tool) is None]
    looks = [SYSTEM_PYTHON, "-c", "import importlib.util as u, sys; sys.exit(u.find_spec('pyatspi') is None)"]
    try:
        found = subprocess.run(looks, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
        there = found.returncode == 0
    except OSError:
        there = False
    return lacking if there else [*lacking, f"pyatspi for {SYSTEM_PYTHON}"]


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A screen of its own, on a display number that X chooses."""
    if lacking := _missing():
        reason = f"A window cannot be worked here; missing: {', '.join(lacking)}."
        if os.environ.get("REQUIRE_WINDOW") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    reading, writing = os.pipe()
    with (tmp_path / "xvfb.log").open("wb") as log:
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"]
        server = subprocess.Popen(
            command, pass_fds=(writing,), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as answer:
            number = answer.readline().decode().strip()  # comes once the screen is ready, '' when it never will be
        if not number:
            pytest.fail(f"Xvfb did not start: {(tmp_path / 'xvfb.log').read_text(errors='replace')}")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(20)


def _run(display: str, folder: Path, runtime: str) -> tuple[int, str]:
    """Live the day on this display; exit code and everything it said. ``runtime`` takes the buses' sockets."""
    env = {name: value for name, value in os.environ.items() if name not in ("DBUS_SESSION_BUS_ADDRESS", "XAUTHORITY")}
    env |= {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": runtime}
    journey = [SYSTEM_PYTHON, "-m", "tests.window.journey", sys.executable, str(folder)]
    command = ["dbus-run-session", "--", *journey]
    said = folder / "journey.log"
    with said.open("wb") as log:
        # A session of its own, so that on a timeout everything it started ends with it, and nothing else does.
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        code = -1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    return code, said.read_text(encoding="utf-8", errors="replace")


def test_the_day_in_a_real_window(display: str, tmp_path: Path) -> None:
    folder = tmp_path / "day"
    folder.mkdir()
    # The path of a socket may have about 100 characters, which pytest's own folders can exceed.
    with tempfile.TemporaryDirectory(prefix="bus") as runtime:
        code, said = _run(display, folder, runtime)
    assert code == 0, f"The day was not finished (exit code {code}; -1 is a timeout). It said:\n{said}"

    desk = open_desk(url_of(folder / "study.sqlite"))
    try:
        _judge(desk)
    finally:
        desk.store.close()


def _judge(desk: Desk) -> None:
    """What must be on record after the day."""
    found = desk.store.verify()
    assert found.sound, found
    with desk.store.read() as reader:
        site = reader.site()
        assert site is not None
        assert (site.name, site.number, site.protocol_number) == ("Riverside Hospital", "017", "INO-LD-2")
        assert not site.demonstration

        # The settings stand under both names, with their source.
        assert len(reader.settings()) == 6
        assert {line.signed_by for line in reader.settings()} == {"Paula Reyes, Robin Ahlgren"}
        assert {line.source for line in reader.settings()} == {"Study Manual 1.0, page 12"}
        assert {
            person.user_name: (str(*person.roles), person.must_change_password) for person in reader.accounts()
        } == {
            "robin": ("administrator", False),
            "paula": ("pharmacist", False),
            "carla": ("checker", False),
            "mona": ("monitor", False),
        }

        # Received 8 of 1 mg and 2 of 4 mg; two of 1 mg were opened and left no more than cannot be drawn.
        assert {(line.strength_mg, line.lot, line.place, line.state): line.vials for line in reader.stock()} == {
            (MG(1), "A1", "Refrigerator 1", "available"): 6,
            (MG(1), "A1", "Refrigerator 1", "empty"): 2,
            (MG(4), "B7", "Refrigerator 1", "available"): 2,
        }
        lines = list(reader.whole_ledger(LedgerFilter(strength_mg=MG(1), record_only=True)))
        assert [
            (line.transaction, line.quantity, line.balance_available, line.balance_quarantine) for line in lines
        ] == [
            ("RECEIVE", 8, 0, 8),
            ("RELEASE", 8, 8, 0),
            ("DISPENSE", 2, 6, 0),  # 8 − 2
        ]
        assert (lines[-1].recorder, lines[-1].verifier) == ("Paula Reyes", "Carla Okafor")

        # One dose, closed: prescribed 1.44 mg, prepared (3.6 + 2.16) mL × 0.25 mg/mL = 1.44 mg, given 1.2 mg.
        (dose,) = reader.doses()
        thread = reader.dose(dose.dose_id)
        assert thread is not None
        assert (dose.subject_number, dose.status) == ("017-001", "closed")
        assert (dose.prescribed_mg, thread.prepared_mg, dose.administered_mg) == (MG("1.44"), MG("1.44"), MG("1.2"))
        assert (thread.planned_by, thread.verified_by) == ("Paula Reyes", "Carla Okafor")
        assert (thread.prepared_by, thread.released_by) == ("Paula Reyes", "Paula Reyes")
        # 0.9 + 0.1 + 0 = 1 mg, and 0.54 + 0.1 + 0.36 = 1 mg
        assert sorted((line.withdrawn_mg, line.residue_mg, line.discarded_mg) for line in thread.mg) == [
            (MG("0.54"), MG("0.1"), MG("0.36")),
            (MG("0.9"), MG("0.1"), MG("0")),
        ]

        # (1.2 − 1.44) / 1.44 = −16.67 %: 10 % or more
        (error,) = reader.errors()
        assert (error.dose_id, error.status) == (dose.dose_id, "open")
        assert (error.prescribed_mg, error.administered_mg) == (MG("1.44"), MG("1.2"))

        # The settings carry two signatures; plan, check and release one each.
        events = reader.events(kind="", text="", offset=0, limit=1000)
        signed = {event.kind: event.signatures for event in events if event.signatures}
        assert len(signed["settings_signed"]) == 2
        assert [len(signed[kind]) for kind in ("vials_reserved", "dose_verified", "dose_released")] == [1, 1, 1]
        assert "Carla Okafor" in signed["dose_verified"][0]
        assert "Paula Reyes" in signed["vials_reserved"][0]
        # Each act is on record once; the refused ones left nothing but the wrong password.
        kinds = [event.kind for event in events]
        for kind in (
            "shipment_received",
            "subject_enrolled",
            "measurement_recorded",
            "marrow_recorded",
            "criteria_recorded",
            "dose_administered",
        ):
            assert kinds.count(kind) == 1, kind

        # Every paper that was shown is kept, byte for byte as it was hashed.
        papers = [
            *reader.printed(about=dose.dose_id, paper="worksheet"),
            *reader.printed(about=dose.dose_id, paper="bag labels"),
            *(label for vial in thread.vials for label in reader.printed(about=vial.unit_number, paper="vial label")),
        ]
        records = reader.printed(paper="accountability record")
    assert len(papers) == 4  # a worksheet, the bag's labels, and a label on each of the two vials
    assert len(records) == 1
    for paper in (*papers, *records):
        pdf = kept_paper(desk, paper.sha256)
        assert pdf.startswith(b"%PDF")
        assert sha256(pdf).hexdigest() == paper.sha256
