"""The way from the window to the database and back: one worker thread, one long-lived object, plain values.

``Bridge.run`` takes a piece of work and two bound methods of a living ``QObject``. Work runs in the one
worker thread in the order given; its result, or what went wrong, comes back in the GUI thread. A receiver
that is gone by then gets nothing, and the log says so.
"""

import logging
import queue
import threading
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QThread, Signal

from pharmacy_app.domain.errors import Refused, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
Failed = Callable[[Exception], None]


class Cancelled(Unavailable):
    """Work that was stopped at the person's request."""

    def __init__(self) -> None:
        super().__init__("The work was stopped at your request before it ended.")


class Unexpected(Unavailable):
    """What a page is told when the program itself was wrong; the report goes to the last resort."""

    def __init__(self) -> None:
        super().__init__(
            "The program met a fault of its own and could not finish. Look in the ledger whether the act was "
            "recorded before you try again, and keep the report."
        )


class Progress:
    """How far long work is; used from the worker (``report``, ``stop_if_cancelled``) and the window (``cancel``)."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._cancel = threading.Event()

    def report(self, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` parts are finished (``total`` 0: not known)."""
        self._tell(done, total)

    def cancel(self) -> None:
        """Ask the work to stop at its next safe point."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        """Whether the person asked to stop."""
        return self._cancel.is_set()

    def stop_if_cancelled(self) -> None:
        """Raise ``Cancelled`` when the person asked to stop."""
        if self.cancelled:
            raise Cancelled


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    on_done: "weakref.WeakMethod[Callable[[Any], None]]"
    on_failed: "weakref.WeakMethod[Failed]"
    receiver: str
    busy: str


class Bridge(QObject):
    """Runs work in the one database thread and brings its outcome to the window.

    Signals: ``busy_changed(bool busy, str what)``, ``progressed(int done, int total)`` of the long work under
    way, ``crashed(str report)`` for every fault of the program itself.
    """

    busy_changed = Signal(bool, str)
    progressed = Signal(int, int)
    crashed = Signal(str)
    _arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._outcomes: deque[tuple[_Job, bool, Any, str]] = deque()
        self._progress: tuple[int, int] | None = None
        self._waiting: deque[str] = deque()
        self._long: weakref.WeakSet[Progress] = weakref.WeakSet()
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._serve, name="database", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], T], on_done: Callable[[T], None], on_failed: Failed, *, busy: str = "") -> None:
        """Run ``work`` in the database thread and give its result to ``on_done`` in the GUI thread.

        ``on_failed`` gets ``Refused`` or ``Unavailable`` (``Unexpected`` after a fault of the program, whose
        report goes out by ``crashed``). Both are bound methods of one living ``QObject``: anything else is
        a programming error (``TypeError``). ``busy`` names the work for the person while it lasts.
        """
        if self._closed:
            raise RuntimeError("The bridge is closed.")
        job = _Job(work, _weak(on_done), _weak(on_failed), _name(on_done), busy)
        self._waiting.append(busy)
        self._tell_busy()
        self._jobs.put(job)

    def run_long(
        self,
        work: Callable[[Progress], T],
        on_done: Callable[[T], None],
        on_failed: Failed,
        *,
        busy: str = "",
    ) -> Progress:
        """The same for long work, which gets a ``Progress``; the caller may ``cancel`` the one returned."""
        progress = Progress(self._tell_progress)
        self._long.add(progress)
        self.run(lambda: work(progress), on_done, on_failed, busy=busy)
        return progress

    @property
    def busy(self) -> bool:
        """Whether any work is under way or waiting."""
        return bool(self._waiting)

    def close(self) -> None:
        """Let the acts already asked for end, stop long work, deliver what is left, and end the thread."""
        if self._closed:
            return
        self._closed = True
        for progress in list(self._long):
            progress.cancel()
        self._jobs.put(None)
        self._thread.join()
        self._deliver()

    # -- in the database thread

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._outcomes.append(_outcome(job))
            del job
            self._arrived.emit()

    def _tell_progress(self, done: int, total: int) -> None:
        # Only the newest is kept, so that a busy loop cannot flood the window.
        first = self._progress is None
        self._progress = (done, total)
        if first:
            self._arrived.emit()

    # -- in the GUI thread

    def _deliver(self) -> None:
        assert QThread.currentThread() == self.thread()
        if (progress := self._progress) is not None:
            self._progress = None
            self.progressed.emit(*progress)
        while self._outcomes:
            job, succeeded, value, report = self._outcomes.popleft()
            self._waiting.popleft()
            self._tell_busy()
            if report:
                log.error("%s", report)
                self.crashed.emit(report)
            method = (job.on_done if succeeded else job.on_failed)()
            receiver = getattr(method, "__self__", None)
            if method is None or not shiboken6.isValid(receiver):
                log.warning("An outcome for %s was dropped: the receiver is gone.", job.receiver)
                continue
            method(value)

    def _tell_busy(self) -> None:
        self.busy_changed.emit(bool(self._waiting), self._waiting[0] if self._waiting else "")


def _outcome(job: _Job) -> tuple[_Job, bool, Any, str]:
    try:
        return job, True, job.work(), ""
    except (Refused, Unavailable) as trouble:
        # A value crosses, not the frames it was raised in: they hold connections of this thread.
        trouble.__traceback__ = trouble.__context__ = trouble.__cause__ = None
        return job, False, trouble, ""
    except BaseException:
        # Every other fault goes to the last resort; the page is told, so that it does not wait for ever.
        return job, False, Unexpected(), traceback.format_exc()


def _weak(method: Callable[..., Any]) -> "weakref.WeakMethod[Callable[..., Any]]":
    owner = getattr(method, "__self__", None)
    if not isinstance(owner, QObject) or not shiboken6.isValid(owner):
        raise TypeError(f"{method!r} is not a bound method of a living QObject.")
    return weakref.WeakMethod(method)


def _name(method: Callable[..., Any]) -> str:
    return getattr(method, "__qualname__", repr(method))
