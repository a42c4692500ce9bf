"""The real window on a database: opens it, signs in, turns to the ledger and waits for its lines.

Run as ``python -m tests.torture.window ADDRESS``; ends with 0 when the ledger stands there.
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from pharmacy_app.bootstrap import database_exists, open_desk
from pharmacy_app.services.desk import Desk
from tests.services.pharmacy import CHEAP, PASSWORD
from ui.app import App, Launch
from ui.pages.ledger import LedgerPage
from ui.theme import Theme

PATIENCE_S = 90


def main(url: str) -> int:
    """Open, sign in, look, close."""
    application = QApplication([])
    Theme.apply(application, "light")

    def opened() -> Desk:
        return replace(open_desk(url), secrets=CHEAP)

    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "window.ini"), QSettings.Format.IniFormat)
        app = App(Launch(lambda: database_exists(url), opened, opened), settings)
        app.start()
        ends = time.monotonic() + PATIENCE_S
        page: QWidget | None = None
        asked = False
        while not _lines(page) and time.monotonic() < ends:
            application.processEvents()
            time.sleep(0.01)
            button = app.window.findChild(QAbstractButton, "sign_in_button")
            if not asked and app.bridge is not None and button is not None and button.isEnabled():
                app.window.sign_in.sign_in_requested.emit("paula", PASSWORD)
                asked = True
            if page is None and app.office is not None:
                page = app.window.show_page("ledger")
        lines = _lines(page)
        app.window.close()
        application.processEvents()
    return 0 if lines else 1


def _lines(page: QWidget | None) -> int:
    return page.model.rowCount() if isinstance(page, LedgerPage) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
