"""The ways a label job leaves the program: a file, a printer's raw network port, a raw queue of the system.

A job is what ``labels.zpl`` makes. It goes out label by label, so that it can be stopped between two, and whoever
reads the outcome knows how many labels went. Wrong settings are ``Refused`` with their field; a printer that does not
do its part is ``NotSent``, which says which printer, how far the job got, and what to look at.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from pharmacy_app.domain.errors import Fault, Refused, Unavailable, refuse_any
from pharmacy_app.services.ports import RAW_PORT, NotSent, PerhapsSent, Sent

WAIT_S = 10.0
"""How long a printer may take nothing, or say nothing, before it is given up (seconds)."""

QUEUE_S = 60.0
"""How long the system's printing service may take for an answer (seconds)."""

Tell = Callable[[int, int], None]
"""Is told how many labels of how many have gone."""

_END = b"^XZ"
_CHUNK = 4096
_ASK = b"~HS"
_STATUS_LINES = 3
_QUEUE = re.compile(r"[A-Za-z0-9_][^\s/#\\?'\"]{0,126}")


def labels_of(job: bytes) -> tuple[bytes, ...]:
    """The labels of a job, each to the end of its format. No label's data can hold that end: it is escaped."""
    *labels, rest = job.split(_END)
    if not labels or rest.strip():
        raise ValueError("not a label job: it does not end with the end of a label")
    return tuple(label + _END for label in labels)


# ---- a file


def write_file(content: bytes, path: Path, *, labels: int) -> Sent:
    """Write labels of any language, ZPL or PDF, whole or not at all; a file that is there is never replaced."""
    taken = Fault(
        "path",
        f"There is a file “{path.name}” in {path.parent} already, perhaps of another study. Move it elsewhere or"
        " rename it, then send the labels again.",
    )
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise Refused(taken) from None
    except OSError as error:
        raise Unavailable(
            f"The labels could not be written to “{path}” ({error.strerror}). Check the folder, and that there is room."
        ) from error
    return Sent(labels, labels, len(content))


def _put_in_place(made: Path, path: Path) -> None:
    try:
        # A link is refused where a file is, also where one came up a moment ago.
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:
        # Disks without links (FAT of a memory stick): the name is taken first, then filled.
        path.open("xb").close()
        made.replace(path)


# ---- a printer's network port


def to_printer(
    job: bytes,
    host: str,
    port: int = RAW_PORT,
    *,
    after: int = 0,
    tell: Tell | None = None,
    cancelled: Callable[[], bool] | None = None,
    wait_s: float = WAIT_S,
) -> Sent:
    """Send the job to a printer's raw port, label by label, and ask the printer afterwards how it is.

    The first ``after`` labels went before: they are left out, and count as gone.

    A raw port gives no receipt. So the printer's own host status (``~HS``) is asked for behind the last label: a
    Zebra printer answers when it has read so far, and what it says (no labels, head open, paused) becomes a warning.
    Raises ``Refused`` for an address that is none, ``NotSent`` when the printer cannot be reached, takes nothing for
    ``wait_s`` seconds, or ends the connection before it has everything.
    """
    labels = labels_of(job)
    _check_address(host, port)
    if not 0 <= after < len(labels):
        raise ValueError(f"of {len(labels)} labels none is left behind the first {after}")
    line = _Line(host.strip(), port, wait_s, after, len(labels))
    with line:
        for number, label in enumerate(labels[after:], start=after):
            if cancelled is not None and cancelled():
                line.finish()
                return Sent(number, len(labels), line.size, stopped=True)
            line.send(label)
            line.labels = number + 1
            if tell is not None:
                tell(number + 1, len(labels))
        size = line.size
        warning = line.ask()
    return Sent(len(labels), len(labels), size, answered=warning is not None, warning=warning or "")


def _check_address(host: str, port: int) -> None:
    faults = []
    if not re.fullmatch(r"[A-Za-z0-9._:%-]{1,253}", host.strip()):
        faults.append(
            Fault(
                "host",
                f"“{host}” is no printer's address. Type its name or number in the network as the printer's network "
                "page says, such as 10.20.30.40.",
            )
        )
    if not 1 <= port <= 65535:
        faults.append(Fault("port", f"A port is a number from 1 to 65535, usually {RAW_PORT}; this one is {port}."))
    refuse_any(faults)


class _Line:
    """An open connection to a printer that counts what went; every fault is told as ``NotSent``."""

    def __init__(self, host: str, port: int, wait_s: float, labels: int, of_labels: int) -> None:
        self.name = f"The label printer at {host}, port {port},"
        self.wait_s = wait_s
        self.of_labels = of_labels
        self.labels = labels
        self.size = 0
        try:
            self.socket = socket.create_connection((host, port), timeout=wait_s)
            # Little on the way: what counts as gone is in the printer, or nearly.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _CHUNK)
        except socket.gaierror as error:
            raise self._not_sent("is not known in the network. Check the name, or type its number") from error
        except ConnectionRefusedError as error:
            why = "refuses the connection. Another PC may be printing, or raw printing is switched off in the printer"
            raise self._not_sent(why) from error
        except OSError as error:
            why = "does not answer. Check that it is switched on, that its network cable is in, and the address"
            raise self._not_sent(why) from error

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, label: bytes) -> None:
        """All bytes of one label."""
        left = memoryview(label)
        while left:
            try:
                taken = self.socket.send(left[:_CHUNK])
            except TimeoutError as error:
                why = f"has taken nothing for {self.wait_s:g} s. Look whether it is paused, open, or out of labels"
                raise self._not_sent(why) from error
            except OSError as error:
                raise self._ended() from error
            left = left[taken:]
            self.size += taken

    def ask(self) -> str | None:
        """What the printer says is wrong with it ('' for nothing), ``None`` when it does not answer."""
        self.send(_ASK)
        heard = b""
        while heard.count(b"\x03") < _STATUS_LINES and (got := self._hear()) is not None:
            if not got:
                # It cannot know that the job is over: this is no good end.
                raise self._ended()
            heard += got
        warning = status_warning(heard)
        if warning is None:
            # It does not know the question. That it ends after us, in good order, tells that it has read all.
            self.socket.shutdown(socket.SHUT_WR)
            self._hear()
        return warning

    def _hear(self) -> bytes | None:
        """What comes next, b'' at the end of the connection, ``None`` when nothing comes in time."""
        try:
            return self.socket.recv(_CHUNK)
        except TimeoutError:
            return None
        except OSError as error:
            raise self._ended() from error

    def finish(self) -> None:
        """End after a stop: what was sent is read, nothing more comes."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _ended(self) -> NotSent:
        return self._not_sent(
            "ended the connection before it had said that it has the whole job. Look whether it was switched off"
        )

    def _not_sent(self, why: str) -> NotSent:
        return NotSent(f"{self.name} {why}.", self.labels, self.of_labels)


def status_warning(answer: bytes) -> str | None:
    """What a host status says is wrong: '' when all is well, ``None`` when ``answer`` is no host status.

    The answer has three lines between STX and ETX: the first has paper out and pause as its second and third field,
    the second has head open and ribbon out as its third and fourth (ZPL II Programming Guide, ~HS).
    """
    lines = [line.decode("ascii", "replace").split(",") for line in re.findall(rb"\x02([^\x03]*)\x03", answer)]
    if len(lines) < 2 or len(lines[0]) < 3 or len(lines[1]) < 4:
        return None
    flags = (
        (lines[0][1], "it is out of labels"),
        (lines[0][2], "it is paused"),
        (lines[1][2], "its head is open"),
        (lines[1][3], "it is out of ribbon"),
    )
    wrong = [words for flag, words in flags if flag.strip() == "1"]
    return f"The printer says: {', '.join(wrong)}." if wrong else ""


# ---- a queue of the system


def queues() -> tuple[str, ...]:
    """The names of the system's print queues, as CUPS knows them; none where there is no CUPS."""
    program = shutil.which("lpstat")
    if program is None:
        return ()
    code, words = _run([program, "-e"])
    return () if code else tuple(sorted(words.split()))


def to_queue(job: bytes, queue: str, *, cancelled: Callable[[], bool] | None = None) -> Sent:
    """Hand the job to a print queue of the system, untouched (``lp -o raw``), under CUPS.

    The queue takes a job whole or not at all, so it can be stopped only before. ``answered`` says that the queue took
    it; what the printer makes of it the queue alone knows.
    """
    labels = labels_of(job)
    if not _QUEUE.fullmatch(queue):
        raise Refused(Fault("queue", f"“{queue}” is no print queue's name. Choose one from the list."))
    program = shutil.which("lp")
    if program is None:
        raise Unavailable(
            "This PC has no command “lp” (CUPS), which hands labels to a print queue. Send them to the printer's "
            "network address, or save them to a file."
        )
    if cancelled is not None and cancelled():
        return Sent(0, len(labels), 0, stopped=True)
    code, words = _run([program, "-d", queue, "-t", "labels", "-o", "raw", "--", "-"], job)
    if code:
        raise NotSent(
            f"The queue “{queue}” did not take the labels ({words}). Look at the system's printers whether it is there "
            "and takes jobs.",
            0,
            len(labels),
        )
    number = re.search(rf"{re.escape(queue)}-\d+", words)
    return Sent(len(labels), len(labels), len(job), answered=True, job=number.group() if number else "")


def _run(command: list[str], given: bytes = b"") -> tuple[int, str]:
    """Code and words of a command of CUPS, in plain English."""
    words = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=QUEUE_S, check=False, env=words)
    except subprocess.TimeoutExpired as error:
        raise PerhapsSent(
            f"The system's printing service has not answered for {QUEUE_S:g} s. Look at the system's printers whether "
            "the labels are in the queue before you print them again."
        ) from error
    return done.returncode, " ".join((done.stdout + done.stderr).decode("utf-8", "replace").split())
