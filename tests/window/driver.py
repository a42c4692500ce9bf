"""A pair of hands for the real window: finds controls by their accessible names and works them through AT-SPI.

Runs under the system's Python, which has ``pyatspi``; it imports nothing of the program.
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pyatspi

FIELDS = ("text", "password text", "entry", "document text")
PATIENCE_S = 20.0


class NotThere(AssertionError):
    """A control or a text that should be in the window is not."""


class Hands:
    """Works one program by its accessible tree, as a screen reader would."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.application: Any = None

    # -- looking

    def _application(self) -> Any:
        desktop = pyatspi.Registry.getDesktop(0)
        for application in desktop:
            with contextlib.suppress(Exception):
                if application is not None and application.get_process_id() == self.process.pid:
                    return application
        return None

    def wait_for_window(self) -> None:
        """Wait until the program is on the accessibility bus."""
        self._until(lambda: self._set_application(), "the program's window")

    def _set_application(self) -> bool:
        self.application = self._application()
        return self.application is not None and self.application.childCount > 0

    def _walk(self, node: Any, depth: int = 0) -> Iterator[Any]:
        """Every accessible that is showing, parents first; what vanishes meanwhile is left out."""
        if node is None or depth > 60:
            return
        try:
            states = node.getState()
            if depth > 0 and not states.contains(pyatspi.STATE_SHOWING):
                return
            children = [node.getChildAtIndex(index) for index in range(node.childCount)]
        except Exception:  # the accessible went away while it was looked at
            return
        yield node
        for child in children:
            yield from self._walk(child, depth + 1)

    def _all(self) -> Iterator[Any]:
        # The last top-level window is a dialog, when there is one: it is looked at first.
        windows = [self.application.getChildAtIndex(index) for index in range(self.application.childCount)]
        for window in reversed([window for window in windows if window is not None]):
            yield from self._walk(window)

    def find(self, name: str, roles: tuple[str, ...] = (), nth: int = 0, patience_s: float = PATIENCE_S) -> Any:
        """The control with this accessible name (and role); waits for it, then raises ``NotThere``."""
        found: list[Any] = []

        def look() -> bool:
            found.clear()
            for node in self._all():
                with contextlib.suppress(Exception):
                    if node.name == name and (not roles or node.getRoleName() in roles):
                        found.append(node)
                        if len(found) > nth:
                            return True
            return False

        self._until(look, f"“{name}” ({' or '.join(roles) or 'any role'})", patience_s)
        return found[nth]

    def texts(self) -> list[str]:
        """Every name and text that is showing."""
        said = []
        for node in self._all():
            with contextlib.suppress(Exception):
                said.append(node.name)
                said.append(node.queryText().getText(0, -1))
        return [text for text in said if text]

    def see(self, words: str, patience_s: float = PATIENCE_S) -> str:
        """Wait until these words stand somewhere in the window; returns the text they stand in."""
        seen: list[str] = []

        def look() -> bool:
            seen[:] = [text for text in self.texts() if words in text]
            return bool(seen)

        self._until(look, f"the words “{words}”", patience_s)
        return seen[0]

    def sees(self, words: str) -> bool:
        """Whether these words stand in the window now."""
        return any(words in text for text in self.texts())

    def _until(self, look: Any, what: str, patience_s: float = PATIENCE_S) -> None:
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise NotThere(f"the program ended with code {self.process.returncode} while looking for {what}")
            if look():
                return
            time.sleep(0.15)
        shown = " | ".join(self.texts()) if self.application is not None else "nothing"
        raise NotThere(f"{what} did not appear. Shown: {shown[:4000]}")

    # -- working

    def press(self, name: str, roles: tuple[str, ...] = ("push button", "button", "radio button", "check box", "toggle button", "list item", "page tab"), nth: int = 0) -> None:
        """Press a button, box or tab by its name; waits until it is enabled."""
        button = self.find(name, roles, nth)
        self._until(lambda: button.getState().contains(pyatspi.STATE_ENABLED), f"“{name}” to be enabled")
        actions = button.queryAction()
        names = [actions.getName(index) for index in range(actions.nActions)]
        wanted = next((names.index(each) for each in ("Press", "Toggle", "press", "toggle") if each in names), 0)
        actions.doAction(wanted)
        time.sleep(0.1)

    def write(self, name: str, text: str, nth: int = 0) -> None:
        """Put a text into the field with this label."""
        field = self.find(name, FIELDS, nth)
        self._until(lambda: field.getState().contains(pyatspi.STATE_ENABLED), f"“{name}” to be enabled")
        field.queryEditableText().setTextContents(text)

    def choose(self, name: str, option: str, nth: int = 0) -> None:
        """Choose an option of a combo box by typing at it, as a keyboard user does."""
        box = self.find(name, ("combo box",), nth)
        self.focus(box)
        for _ in range(60):
            if self.value_of(box) == option:
                return
            before = self.value_of(box)
            self.key("Down")
            time.sleep(0.05)
            if self.value_of(box) == before:
                break
        for _ in range(120):
            if self.value_of(box) == option:
                return
            before = self.value_of(box)
            self.key("Up")
            time.sleep(0.05)
            if self.value_of(box) == before:
                break
        raise NotThere(f"“{option}” is no choice of “{name}”")

    def value_of(self, box: Any) -> str:
        """What a combo box shows."""
        with contextlib.suppress(Exception):
            return str(box.queryText().getText(0, -1)) or str(box.name)
        return str(box.name)

    def focus(self, node: Any) -> None:
        """Give a control the keyboard."""
        node.queryComponent().grabFocus()
        time.sleep(0.1)

    def scan(self, name: str, text: str) -> None:
        """Scan into a field: type fast, end with Enter."""
        field = self.find(name, FIELDS)
        self.focus(field)
        field.queryEditableText().setTextContents(text)
        self.key("Return")

    def key(self, *names: str) -> None:
        """Press keys in the window that has the keyboard."""
        subprocess.run(["xdotool", "key", "--clearmodifiers", *names], check=True)

    def picture(self, path: str) -> None:
        """Keep a picture of the screen, for whoever looks at a failed run."""
        with contextlib.suppress(Exception):
            subprocess.run(["import", "-window", "root", path], check=False, capture_output=True)
