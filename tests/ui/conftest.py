"""Widgets are tested without a display; what a test leaves behind fails it."""

import gc
import os
import threading
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from ui.theme import Theme


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform has no window manager to give sizes to, and says so for each window."""
    for item in items:
        if "tests/ui/" in item.path.as_posix():
            item.add_marker(pytest.mark.qt_log_ignore("does not support propagateSizeHints", extend=True))


@pytest.fixture(autouse=True)
def look(qapp: QApplication) -> None:
    """Every widget is tested in the look it ships with."""
    Theme.apply(qapp, "light")


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test may leave a thread running or a window on the screen.

    Garbage is collected in this thread alone, as in the app: in the database thread it would destroy widgets there.
    """
    before = set(threading.enumerate())
    gc.disable()
    # Windows of qtbot are closed by its own fixture: it has to end before we look.
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    for widget in QApplication.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.enable()
    assert not left, f"{request.node.name} left threads running: {left}"
