"""A pair of hands for the real window: finds controls by their accessible names and works them through AT-SPI.

Runs under the system's Python, which has ``pyatspi``; it imports nothing of the program. Every look waits for
what it looks for, so that nothing depends on how fast the machine is.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyatspi

FIELDS = ("text", "password text", "entry", "document text")
PRESSED = ("push button", "button", "radio button", "check box", "toggle button", "page tab")
PATIENCE_S = 20.0
PAUSE_S = 0.05


class NotThere(AssertionError):
    """A control or a text that should be in the window is not."""


class Hands:
    """Works one program by its accessible tree, as a screen reader would."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.application: Any = None

    # -- looking

    def wait_for_window(self) -> None:
        """Wait until the program is on the accessibility bus."""
        self.until(self._take_application, "the program's window")

    def _take_application(self) -> bool:
        for application in pyatspi.Registry.getDesktop(0):
            with contextlib.suppress(Exception):
                if application is not None and application.get_process_id() == self.process.pid:
                    self.application = application
                    return bool(application.childCount > 0)
        return False

    def _walk(self, node: Any, depth: int = 0) -> Iterator[Any]:
        """Every accessible that is showing, parents first; what vanishes meanwhile is left out."""
        if node is None or depth > 60:
            return
        try:
            if depth > 0 and not node.getState().contains(pyatspi.STATE_SHOWING):
                return
            children = [node.getChildAtIndex(index) for index in range(node.childCount)]
        except Exception:  # the accessible went away while it was looked at
            return
        yield node
        for child in children:
            yield from self._walk(child, depth + 1)

    def windows(self) -> list[Any]:
        """The top-level windows, the newest first: a dialog stands before the window it belongs to."""
        found = []
        for index in range(self.application.childCount):
            with contextlib.suppress(Exception):
                window = self.application.getChildAtIndex(index)
                if window is not None and window.getState().contains(pyatspi.STATE_SHOWING):
                    found.append(window)
        return found[::-1]

    def _all(self) -> Iterator[Any]:
        for window in self.windows():
            yield from self._walk(window)

    def find(self, name: str, roles: Sequence[str] = (), *, within: str = "", patience_s: float = PATIENCE_S) -> Any:
        """The control with this accessible name and role, inside the panel ``within`` where one is named.

        Waits for it, then raises ``NotThere``.
        """
        found: list[Any] = []

        def look() -> bool:
            found[:] = self._found(name, roles, within)
            return bool(found)

        place = f" in “{within}”" if within else ""
        self.until(look, f"“{name}” ({' or '.join(roles) or 'any role'}){place}", patience_s)
        return found[0]

    def is_there(self, name: str, roles: Sequence[str] = (), *, within: str = "") -> bool:
        """Whether such a control shows now."""
        return bool(self._found(name, roles, within))

    def _found(self, name: str, roles: Sequence[str], within: str) -> list[Any]:
        """The first control that fits, or nothing."""
        if not within:
            return self._first(self._all(), name, roles)
        for node in self._all():
            with contextlib.suppress(Exception):
                # The toolkit adds the program's name to the title of a dialog.
                if node.name.split(" — ")[0] == within and node.childCount:
                    found = self._first(self._walk(node), name, roles)
                    if found:
                        return found
        return []

    def _first(self, nodes: Iterator[Any], name: str, roles: Sequence[str]) -> list[Any]:
        for node in nodes:
            with contextlib.suppress(Exception):
                role = node.getRoleName()
                if (not roles or role in roles) and (node.name == name or (role == "combo box" and _is(node, name))):
                    return [node]
        return []

    def texts(self, window: Any = None) -> list[str]:
        """Every name and text that is showing."""
        said = []
        for node in self._walk(window) if window is not None else self._all():
            with contextlib.suppress(Exception):
                said.append(node.name)
                if node.getRoleName() in FIELDS:
                    said.append(node.queryText().getText(0, -1))
        return [text for text in said if text]

    def see(self, words: str, *, patience_s: float = PATIENCE_S) -> str:
        """Wait until these words stand somewhere in the window; returns the text they stand in."""
        seen: list[str] = []

        def look() -> bool:
            seen[:] = [text for text in self.texts() if words in text]
            return bool(seen)

        self.until(look, f"the words “{words}”", patience_s)
        return max(seen, key=len)

    def sees(self, words: str) -> bool:
        """Whether these words stand in the window now."""
        return any(words in text for text in self.texts())

    def rows(self, table: str) -> list[list[str]]:
        """The cells of a table by its accessible name, row by row."""
        grid = self.find(table, ("table", "tree table")).queryTable()
        return [[_cell(grid, row, column) for column in range(grid.nColumns)] for row in range(grid.nRows)]

    def see_rows(self, table: str, wanted: Callable[[list[list[str]]], bool], what: str) -> list[list[str]]:
        """Wait until a table's rows are as ``wanted``; returns them."""
        rows: list[list[str]] = []

        def look() -> bool:
            with contextlib.suppress(NotThere):
                rows[:] = self.rows(table)
            return bool(rows) and wanted(rows)

        try:
            self.until(look, what)
        except NotThere as trouble:
            raise NotThere(f"{trouble}\nThe table “{table}” holds: {rows}") from None
        return rows

    def until(self, look: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until ``look`` says yes; raises ``NotThere`` with everything that is showing otherwise."""
        end = time.monotonic() + patience_s
        while True:
            if self.process.poll() is not None:
                raise NotThere(f"The program ended with code {self.process.returncode} while waiting for {what}.")
            if look():
                return
            if time.monotonic() > end:
                shown = " | ".join(self.texts()) if self.application is not None else "nothing"
                raise NotThere(f"Waited {patience_s:g} s in vain for {what}. Shown: {shown[:6000]}")
            time.sleep(PAUSE_S)

    # -- working

    def press(self, name: str, *, within: str = "", roles: Sequence[str] = PRESSED) -> None:
        """Press a button, box or tab by its name; waits until it is enabled."""
        pressed: list[Any] = []

        def look() -> bool:
            # Found anew each time: a step that is drawn again has new buttons of the same name.
            pressed[:] = [node for node in self._found(name, roles, within) if _enabled(node)]
            return bool(pressed)

        self.until(look, f"the button “{name}” to be there and enabled")
        actions = pressed[0].queryAction()
        names = [actions.getName(index) for index in range(actions.nActions)]
        actions.doAction(next(names.index(each) for each in ("Press", "Toggle") if each in names))

    def enabled(self, name: str, *, roles: Sequence[str] = PRESSED) -> bool:
        """Whether a control shows and can be used."""
        return any(_enabled(node) for node in self._found(name, roles, ""))

    def write(self, name: str, text: str, *, within: str = "") -> None:
        """Put a text into the field with this label."""
        field = self.find(name, FIELDS, within=within)
        self.until(lambda: _enabled(field), f"the field “{name}” to be enabled")
        field.queryEditableText().setTextContents(text)

    def typed(self, name: str, *, within: str = "") -> str:
        """What stands in a field."""
        return str(self.find(name, FIELDS, within=within).queryText().getText(0, -1))

    def choose(self, name: str, option: str, *, within: str = "") -> None:
        """Choose an option of a combo box with the keys, as a keyboard user does.

        Its options are the children of its list; the option chosen becomes the box's name, as Qt has it on Linux.
        """
        box = self.find(name, ("combo box",), within=within)
        options = [item.name for item in box.getChildAtIndex(0)]
        if option not in options:
            raise NotThere(f"“{option}” is no choice of “{name}”: {options}")
        if box.name == option:
            return
        self._focus_window(box)
        box.queryAction().doAction(0)  # shows the list; a combo box of Qt takes no focus from outside
        items = box.getChildAtIndex(0)
        self.until(lambda: bool(items.getState().contains(pyatspi.STATE_SHOWING)), f"the choices of “{name}”")
        self.key("Home", *["Down"] * options.index(option), "Return")
        self.until(lambda: bool(box.name == option), f"“{option}” to be chosen in “{name}”")

    def focus(self, node: Any) -> None:
        """Give a control the keyboard."""
        self._focus_window(node)
        node.queryComponent().grabFocus()
        self.until(lambda: bool(node.getState().contains(pyatspi.STATE_FOCUSED)), f"the focus on “{node.name}”")

    def _focus_window(self, node: Any) -> None:
        """Give the window of a control the keyboard: without a window manager nobody else does."""
        while node.parent is not None and node.parent.getRoleName() != "application":
            node = node.parent
        pid, title = str(self.process.pid), _exactly(node.name)
        search = ["xdotool", "search", "--onlyvisible", "--all", "--pid", pid, "--name", title]
        found = subprocess.run(search, check=False, capture_output=True, text=True).stdout.split()
        if not found:
            raise NotThere(f"The display shows no window “{node.name}”.")
        subprocess.run(["xdotool", "windowfocus", "--sync", found[-1]], check=False, capture_output=True, timeout=10)

    def scan(self, name: str, code: str) -> None:
        """Scan into a field as a scanner does: keys very fast, ended with Enter."""
        self.focus(self.find(name, FIELDS))
        subprocess.run(["xdotool", "type", "--delay", "8", "--args", "1", code, "key", "Return"], check=True)

    def key(self, *names: str) -> None:
        """Press keys in the window that has the keyboard."""
        subprocess.run(["xdotool", "key", "--clearmodifiers", "--delay", "8", *names], check=True)

    def picture(self, path: str) -> bool:
        """Keep a picture of the screen, for whoever looks at a failed run; False where no tool takes one."""
        with contextlib.suppress(OSError):
            return subprocess.run(["import", "-window", "root", path], check=False, capture_output=True).returncode == 0
        return False


def _enabled(node: Any) -> bool:
    try:
        return bool(node.getState().contains(pyatspi.STATE_ENABLED))
    except Exception:  # it went away while it was looked at
        return False


def _is(box: Any, label: str) -> bool:
    """Whether a combo box is labelled so: its own name is what is chosen, but its list keeps the label."""
    return bool(box.childCount) and bool(box.getChildAtIndex(0).name == label)


def _cell(grid: Any, row: int, column: int) -> str:
    cell = grid.getAccessibleAt(row, column)
    return str(cell.name) if cell is not None else ""


def _exactly(title: str) -> str:
    """A pattern that fits this title alone, whatever the bytes of a dash are in the locale of xdotool."""
    return (
        "^"
        + "".join(letter if letter.isascii() and (letter.isalnum() or letter == " ") else ".*" for letter in title)
        + "$"
    )
