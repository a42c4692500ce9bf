"""Make the pictures of this folder anew: every page of the demonstration, light and dark, and the papers.

Run from the project's root: ``QT_QPA_PLATFORM=offscreen .venv/bin/python docs/make_images.py [FOLDER]``.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from pharmacy_app.bootstrap import open_desk, url_of
from pharmacy_app.demo import PASSWORD, DemoDay, dose, make_demonstration
from ui.app import App, Launch
from ui.theme import Theme

PAGES = ("today", "subjects", "prepare", "receive", "vials", "ledger", "labels", "monitor", "settings")


def wait(done: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("the window did not get there")
        QApplication.processEvents()
        time.sleep(0.01)


def settle(app: App) -> None:
    """Let all work in the background end and everything be painted."""
    for _ in range(3):
        wait(lambda: app.bridge is not None and not app.bridge.busy)
        for _ in range(20):
            QApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            time.sleep(0.005)


def sign_in(app: App, user: str) -> None:
    """Sign one of the demonstration's people in."""
    if app.office is not None:
        app._switch()
    settle(app)
    app.window.sign_in.sign_in_requested.emit(user, PASSWORD)
    wait(lambda: app.office is not None)
    settle(app)


def take(app: App, folder: Path, name: str, size: tuple[int, int] = (1180, 780)) -> None:
    """One picture of the window."""
    app.window.resize(*size)
    settle(app)
    app.window.grab().save(str(folder / f"{name}.png"))


def main(folder: Path) -> None:
    """Make every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    qt = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / "demonstration.sqlite"
        day = make_demonstration(database)
        papers(day, folder)
        doses = stages(day)
        day.desk.store.close()
        launch = Launch(
            lambda: True,
            lambda: open_desk(url_of(database)),
            lambda: open_desk(url_of(database)),
            "Demonstration accounts: pharmacist, checker, technician, monitor, admin.\n"
            "The password of each is: demonstration only",
        )
        app = App(launch, QSettings(str(Path(name) / "window.ini"), QSettings.Format.IniFormat))
        app.start()
        wait(lambda: app._desk is not None)
        for mode in ("light", "dark"):
            Theme.apply(qt, mode)
            if app.office is not None:
                app._switch()
            take(app, folder, f"sign-in-{mode}")
            sign_in(app, "pharmacist")
            for page in PAGES:
                app.window.show_page(page)
                take(app, folder, f"{page}-{mode}")
            for step, dose_id in doses.items():
                app._go("prepare", dose_id)
                take(app, folder, f"prepare-{step}-{mode}", (1180, 1100))
            sign_in(app, "monitor")
            app.window.show_page("monitor")
            take(app, folder, f"monitor-{mode}")
            app.window.lock()
            take(app, folder, f"locked-{mode}")
            app.window.unlock()
        app._close()
    first_run(folder)


def stages(day: DemoDay) -> dict[str, str]:
    """A dose at each step of the way, made after the demonstration for their pictures."""
    from pharmacy_app.demo import enroll_subject

    made = {}
    for number, (step, until) in enumerate(
        (
            ("decide", "order"),
            ("vials", "decide"),
            ("check", "plan"),
            ("mix", "worksheet"),
            ("labels", "prepare"),
            ("release", "label"),
            ("give", "release"),
            ("close", "give"),
        ),
        start=4,
    ):
        subject = f"000-{number:03d}"
        day.clock.forward(1)
        enroll_subject(day, subject, "1969-05-17", "", str(150 + number * 3), str(40 + number * 4))
        if step == "close":
            break
        made[step] = dose(day, subject, 1, 1, until=until)
    return made


def papers(day: DemoDay, folder: Path) -> None:
    """The papers as pictures."""
    worksheet = next(name for name in day.papers if name.startswith("worksheet"))
    bag = next(name for name in day.papers if name.startswith("bag-labels"))
    vial = next(name for name in day.papers if name.startswith("vial-labels"))
    for name, paper, dpi in (
        ("paper-worksheet", worksheet, 90),
        ("paper-bag-label", bag, 203),
        ("paper-vial-label", vial, 300),
        ("paper-accountability", "accountability-1-mg", 90),
    ):
        (folder / f"{name}.png").write_bytes(day.desk.papers.page_png(day.papers[paper], 0, dpi))


def first_run(folder: Path) -> None:
    """The first page of the guide, on a PC that has no study yet."""
    from pharmacy_app.bootstrap import create_desk

    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / "study.sqlite"
        app = App(
            Launch(lambda: False, lambda: open_desk(url_of(database)), lambda: create_desk(url_of(database))),
            QSettings(str(Path(name) / "window.ini"), QSettings.Format.IniFormat),
        )
        app.start()
        wait(lambda: app._guide is not None)
        for mode in ("light", "dark"):
            Theme.apply(QApplication.instance(), mode)
            take(app, folder, f"first-run-{mode}")
        assert app.window.findChild(QPushButton) or app.window.findChild(QLineEdit)
        app._close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images")
