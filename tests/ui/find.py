"""Find a widget by its object name, as a test through the accessibility bus would."""

from typing import TypeVar

from PySide6.QtWidgets import QApplication, QWidget

W = TypeVar("W", bound=QWidget)


def find(root: QWidget, kind: type[W], name: str) -> W:
    """The widget of ``kind`` and ``name`` beneath ``root``; fails the test when there is none."""
    found = root.findChild(kind, name)
    assert found is not None, f"There is no {kind.__name__} named {name}."
    return found


def focused() -> QWidget:
    """The widget the next key goes to; fails the test when there is none."""
    widget = QApplication.focusWidget()
    assert widget is not None, "Nothing has the focus."
    return widget
