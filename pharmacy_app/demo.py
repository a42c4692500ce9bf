"""The demonstration study: made-up people and subjects who live through the pharmacy's real acts.

Nothing here writes a table: every line of the demonstration came through the same services as a site's own
work, on a clock that is set back so that the last day is today.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pharmacy_app.bootstrap import create_desk, data_folder, open_desk, url_of
from pharmacy_app.demo_acts import (
    PASSWORD,
    STEPS,
    ZONE,
    DemoDay,
    MovableClock,
    assess,
    dose,
    enroll_subject,
    marrow,
    meet_criteria,
    near_miss,
    receive_shipment,
    set_up,
    weigh,
)
from pharmacy_app.demo_year import DAYS, live
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.units import show
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.export import export_files
from pharmacy_app.services.ports import Secrets

__all__ = [
    "PASSWORD",
    "STEPS",
    "DemoDay",
    "MovableClock",
    "assess",
    "dose",
    "enroll_subject",
    "make_demonstration",
    "marrow",
    "meet_criteria",
    "near_miss",
    "open_demonstration",
    "receive_shipment",
    "run_headless",
    "set_up",
    "weigh",
]


class ProvenOnce:
    """Passwords encoded as at any site; a password that has been proven is not proven again for every signature.

    Only while the demonstration is made: half a year of signatures would take a minute otherwise.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._proven: set[tuple[str, str]] = set()

    def encode(self, password: str) -> str:
        """The encoded password."""
        return self._secrets.encode(password)

    def matches(self, encoded: str, password: str) -> bool:
        """Whether the password is the one that was encoded."""
        if (encoded, password) in self._proven:
            return True
        if not self._secrets.matches(encoded, password):
            return False
        self._proven.add((encoded, password))
        return True


def make_demonstration(path: Path, *, today: datetime | None = None) -> DemoDay:
    """Make a demonstration database at ``path`` that ends now: half a year of history, and work left for today."""
    now = (today or datetime.now(UTC)).astimezone(ZONE)
    start = (now - timedelta(days=DAYS)).replace(hour=8, minute=0, second=0, microsecond=0)
    clock = MovableClock(start, latest=now)
    desk = create_desk(url_of(path), clock=clock)
    day = set_up(replace(desk, secrets=ProvenOnce(desk.secrets)), clock)
    live(day, now)
    clock.latest = None
    return replace(day, desk=desk)


def demonstration_folder() -> Path:
    """Where demonstrations are kept, apart from any site's own records."""
    folder = data_folder() / "demonstration"
    folder.mkdir(exist_ok=True)
    return folder


def open_demonstration() -> Desk:
    """Today's demonstration study: opened when it is there, else made (under another name until it is whole)."""
    today = datetime.now(ZONE).date()
    path = demonstration_folder() / f"demonstration-{today.isoformat()}.sqlite"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        for leftover in (unfinished, Path(f"{unfinished}-wal"), Path(f"{unfinished}-shm")):
            leftover.unlink(missing_ok=True)
        made = make_demonstration(unfinished)
        made.desk.store.close()
        unfinished.rename(path)
    return open_desk(url_of(path))


def run_headless(folder: Path | None = None) -> dict[str, Any]:
    """The demonstration without a screen: the database, the papers and the ledger in a new folder, verified."""
    stamp = datetime.now(ZONE).strftime("%Y-%m-%d-%H%M%S")
    target = folder or demonstration_folder() / f"day-{stamp}"
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"The folder {target} cannot be made ({error.strerror}). Choose another.") from error
    database = target / "demonstration.sqlite"
    day = make_demonstration(database)
    papers = []
    for name, pdf in day.papers.items():
        path = target / f"{name}.pdf"
        path.write_bytes(pdf)
        papers.append(str(path))
    with day.desk.store.read() as reader:
        files = export_files(reader)
        stock = [
            f"{show(line.strength_mg)} mg  lot {line.lot}  {line.place}  {line.state}  {line.vials}"
            for line in reader.stock()
        ]
    (target / "ledger.csv").write_bytes(files["ledger.csv"])
    found = day.desk.store.verify()
    day.desk.store.close()
    assert found.sound, found.trouble
    return {
        "database": str(database),
        "ledger": str(target / "ledger.csv"),
        "papers": papers,
        "stock": stock,
        "events": found.events,
        "head": found.head_hash,
    }
