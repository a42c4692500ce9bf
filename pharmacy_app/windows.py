"""Opening the window on a study or on the demonstration, with every heavy import left until it is painted."""

import os
import sys
from typing import TYPE_CHECKING

from ui.app import Launch, run_window

if TYPE_CHECKING:
    from pharmacy_app.services.desk import Desk


def has_display() -> bool:
    """Whether a window can be shown here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM"))


def show_study(url: str) -> int:
    """Open the window on a site's study ('' is the usual place); the first-run guide makes it when there is none."""

    def exists() -> bool:
        from pharmacy_app.bootstrap import database_exists, default_url

        return database_exists(url or default_url())

    def opened() -> "Desk":
        from pharmacy_app.bootstrap import default_url, open_desk

        return open_desk(url or default_url())

    def created() -> "Desk":
        from pharmacy_app.bootstrap import create_desk, default_url

        return create_desk(url or default_url())

    def where() -> str:
        from pharmacy_app.bootstrap import default_url, shown_place

        return shown_place(url or default_url())

    return _show(Launch(exists, opened, created, where=where))


def show_demonstration() -> int:
    """Open the window on today's demonstration study, made at the first opening of the day."""

    def opened() -> "Desk":
        from pharmacy_app.demo import open_demonstration

        return open_demonstration()

    hint = (
        "Demonstration accounts: pharmacist, checker, technician, monitor, admin.\n"
        "The password of each is: demonstration only"
    )
    wait = "Opening the demonstration. Once a day its half year is made anew, act by act: that takes some 15 seconds."
    return _show(Launch(lambda: True, opened, opened, hint, opening=wait))


def _show(launch: Launch) -> int:
    if not has_display():
        sys.stderr.write(
            "There is no display here to open a window on. “pharmacy-app demo --headless” goes through the"
            " demonstration without one; “pharmacy-app --help” lists the other commands.\n"
        )
        return 2
    return run_window(launch)
