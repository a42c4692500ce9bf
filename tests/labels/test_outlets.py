"""Label jobs on their way out: to a file, to a printer's port, to a queue; and what the pharmacist is told when not."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from labels import outlets
from labels.outlets import labels_of, queues, status_warning, to_printer, to_queue, write_file
from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.services.ports import NotSent, PerhapsSent, Sent

HERE = "127.0.0.1"
LABELS = tuple(f"^XA^FDLabel {number}^FS".encode() + b"." * 3000 + b"^XZ" for number in range(1, 6))
JOB = b"\n".join(LABELS) + b"\n"
ASKED = b"~HS"
# As the ZPL guide prints it: the second and third field of the first line are paper out and pause.
READY = b"\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n"
NO_LABELS_PAUSED = READY.replace(b"030,0,0", b"030,1,1")
OPEN_NO_RIBBON = READY.replace(b"\x02000,0,0,0,", b"\x02000,0,1,1,")


class Printer:
    """A printer on a free port of this machine; ``serve`` does what it does with the one connection it takes."""

    def __init__(self, serve: Callable[["Printer", socket.socket], None], room: int = 0) -> None:
        self.serve = serve
        self.got = b""
        self.listener = socket.socket()
        if room:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.listener.bind((HERE, 0))
        self.listener.listen(1)
        self.listener.settimeout(10)
        self.port: int = self.listener.getsockname()[1]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        line, _ = self.listener.accept()
        with line, suppress(ConnectionError):
            line.settimeout(10)
            self.serve(self, line)

    def read_until(self, line: socket.socket, end: bytes, pause_s: float = 0.0, at_once: int = 65536) -> None:
        while end not in self.got and (came := line.recv(at_once)):
            self.got += came
            time.sleep(pause_s)

    def read_to_the_end(self, line: socket.socket) -> None:
        while came := line.recv(65536):
            self.got += came


@contextmanager
def printer(serve: Callable[[Printer, socket.socket], None], room: int = 0) -> Iterator[Printer]:
    one = Printer(serve, room)
    one.thread.start()
    try:
        yield one
    finally:
        one.over.set()
        one.thread.join(10)
        one.listener.close()


def zebra(
    answer: bytes = READY, pause_s: float = 0.0, at_once: int = 65536
) -> Callable[[Printer, socket.socket], None]:
    def serve(one: Printer, line: socket.socket) -> None:
        one.read_until(line, ASKED, pause_s, at_once)
        line.sendall(answer)
        one.read_to_the_end(line)

    return serve


def test_a_job_reaches_the_printer_whole_and_is_counted() -> None:
    told: list[tuple[int, int]] = []
    with printer(zebra()) as one:
        sent = to_printer(JOB, HERE, one.port, tell=lambda done, total: told.append((done, total)), wait_s=5)
    assert one.got == b"".join(labels_of(JOB)) + ASKED
    assert sent == Sent(5, 5, len(b"".join(labels_of(JOB))), answered=True)
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_a_slow_printer_gets_everything() -> None:
    with printer(zebra(pause_s=0.01, at_once=700), room=2048) as one:
        sent = to_printer(JOB, HERE, one.port, wait_s=5)
    assert one.got.count(b"^XZ") == 5
    assert sent.answered


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        (NO_LABELS_PAUSED, "The printer says: it is out of labels, it is paused."),
        (OPEN_NO_RIBBON, "The printer says: its head is open, it is out of ribbon."),
    ],
)
def test_what_the_printer_says_is_wrong_with_it_is_told(answer: bytes, warning: str) -> None:
    with printer(zebra(answer)) as one:
        sent = to_printer(JOB, HERE, one.port, wait_s=5)
    assert sent.answered
    assert sent.warning == warning


def test_an_answer_in_pieces_is_put_together() -> None:
    def serve(one: Printer, line: socket.socket) -> None:
        one.read_until(line, ASKED)
        for start in range(0, len(NO_LABELS_PAUSED), 7):
            line.sendall(NO_LABELS_PAUSED[start : start + 7])
            time.sleep(0.01)
        one.read_to_the_end(line)

    with printer(serve) as one:
        assert "out of labels" in to_printer(JOB, HERE, one.port, wait_s=5).warning


@pytest.mark.parametrize("answer", [b"", b"\x02\x03\x02\x03\x02\x03", b"hello", READY[:20]])
def test_a_printer_that_gives_no_status_is_not_said_to_have_answered(answer: bytes) -> None:
    with printer(zebra(answer)) as one:
        sent = to_printer(JOB, HERE, one.port, wait_s=0.3)
    assert sent == Sent(5, 5, len(b"".join(labels_of(JOB))), answered=False)
    assert one.got.startswith(b"".join(labels_of(JOB)))


def test_a_printer_that_ends_in_the_middle_has_not_printed_the_job() -> None:
    def serve(one: Printer, line: socket.socket) -> None:
        one.read_until(line, b"^XZ", at_once=500)

    with printer(serve, room=2048) as one, pytest.raises(NotSent) as refused:
        to_printer(JOB * 200, HERE, one.port, wait_s=5)
    assert f"The label printer at {HERE}, port {one.port}, ended the connection" in str(refused.value)
    assert 1 <= refused.value.labels < 1000
    assert f"{refused.value.labels} of 1000 labels had gone" in str(refused.value)


def test_a_printer_that_ends_after_the_last_byte_without_a_word_is_not_believed() -> None:
    """It cannot know that the job is over, so it went away for a reason of its own."""

    def serve(one: Printer, line: socket.socket) -> None:
        one.read_until(line, ASKED)

    with printer(serve) as one, pytest.raises(NotSent) as refused:
        to_printer(JOB, HERE, one.port, wait_s=5)
    assert refused.value.labels == 5


def test_a_paused_printer_that_takes_nothing_more_is_given_up() -> None:
    def serve(one: Printer, line: socket.socket) -> None:
        one.over.wait(10)

    with printer(serve, room=2048) as one:
        start = time.monotonic()
        with pytest.raises(NotSent, match=r"has taken nothing for 0\.3 s\. Look whether it is paused") as refused:
            to_printer(JOB * 400, HERE, one.port, wait_s=0.3)
        assert time.monotonic() - start < 5
    assert refused.value.labels < 2000


def test_a_printer_that_refuses_is_named() -> None:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        port = taken.getsockname()[1]
        # Bound, but nobody listens.
        with pytest.raises(NotSent, match=rf"at {HERE}, port {port}, refuses the connection.*No label was printed"):
            to_printer(JOB, HERE, port, wait_s=2)


def test_a_name_nobody_knows_is_said_to_be_unknown() -> None:
    with pytest.raises(NotSent, match="is not known in the network"):
        to_printer(JOB, "no-such-printer.invalid", wait_s=2)


@pytest.mark.parametrize(
    ("host", "port", "fields"),
    [
        ("", 9100, {"host"}),
        ("10.1.2.3 ; rm", 9100, {"host"}),
        ("http://printer", 9100, {"host"}),
        (HERE, 0, {"port"}),
        (HERE, 65536, {"port"}),
        ("", -1, {"host", "port"}),
    ],
)
def test_an_address_that_is_none_is_refused(host: str, port: int, fields: set[str]) -> None:
    with pytest.raises(Refused) as refused:
        to_printer(JOB, host, port)
    assert {fault.field for fault in refused.value.faults} == fields


def test_stopped_between_two_labels_the_printer_has_whole_labels_only() -> None:
    done: list[int] = []
    with printer(lambda one, line: one.read_to_the_end(line)) as one:
        sent = to_printer(
            JOB, HERE, one.port, tell=lambda count, _: done.append(count), cancelled=lambda: len(done) == 2, wait_s=5
        )
    assert sent == Sent(2, 5, len(one.got), stopped=True)
    assert one.got == b"".join(labels_of(JOB)[:2])


def test_the_rest_of_a_job_goes_from_the_label_at_which_it_broke_and_is_counted_from_the_first() -> None:
    told: list[tuple[int, int]] = []
    with printer(zebra(READY)) as one:
        sent = to_printer(JOB, HERE, one.port, after=3, tell=lambda count, of: told.append((count, of)), wait_s=5)
    rest = b"".join(labels_of(JOB)[3:])
    assert sent == Sent(5, 5, len(rest), answered=True)
    assert told == [(4, 5), (5, 5)]
    assert one.got.startswith(rest)
    assert b"Label 3" not in one.got


def test_where_the_rest_is_refused_those_before_still_count_as_gone() -> None:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        with pytest.raises(NotSent, match="3 of 5 labels had gone") as refused:
            to_printer(JOB, HERE, taken.getsockname()[1], after=3, wait_s=2)
    assert refused.value.labels == 3


@pytest.mark.parametrize("after", [-1, 5, 6])
def test_behind_all_labels_there_is_no_rest(after: int) -> None:
    with pytest.raises(ValueError, match="none is left"):
        to_printer(JOB, HERE, after=after)


def test_nothing_that_is_no_label_job_is_sent() -> None:
    for wrong in (b"", b"^XA^FDhalf", b"%PDF-1.4", LABELS[0] + b"^XA"):
        with pytest.raises(ValueError, match="not a label job"):
            labels_of(wrong)


def test_a_host_status_says_what_is_wrong() -> None:
    assert status_warning(READY) == ""
    assert status_warning(b"") is None


# ---- files


def test_a_file_holds_the_job_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "labels.zpl"
    assert write_file(JOB, path, labels=5) == Sent(5, 5, len(JOB))
    assert path.read_bytes() == JOB
    assert [file.name for file in tmp_path.iterdir()] == ["labels.zpl"]


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "labels.zpl"
    path.write_bytes(b"of yesterday")
    with pytest.raises(Refused, match=r"There is a file “labels\.zpl” in .* Move it elsewhere"):
        write_file(JOB, path, labels=5)
    assert path.read_bytes() == b"of yesterday"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_comes_up_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels.zpl"
    really = outlets._put_in_place

    def late(made: Path, where: Path) -> None:
        where.write_bytes(b"of another PC")
        really(made, where)

    monkeypatch.setattr(outlets, "_put_in_place", late)
    with pytest.raises(Refused):
        write_file(JOB, path, labels=5)
    assert path.read_bytes() == b"of another PC"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_memory_stick_without_links_takes_the_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    write_file(JOB, tmp_path / "labels.zpl", labels=5)
    assert (tmp_path / "labels.zpl").read_bytes() == JOB
    with pytest.raises(Refused):
        write_file(JOB, tmp_path / "labels.zpl", labels=5)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"could not be written to .*gone.* \(No such file or directory\)"):
        write_file(JOB, tmp_path / "gone" / "labels.zpl", labels=5)


# ---- queues


def stub(folder: Path, monkeypatch: pytest.MonkeyPatch, **commands: str) -> None:
    """Commands of CUPS that are shell scripts, alone on the path."""
    for name, script in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_queue_gets_the_job_raw_and_its_number_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    took = tmp_path / "took"
    script = f"echo \"$@\" > {tmp_path}/asked; /bin/cat > {took}; echo 'request id is zebra-42 (1 file(s))'"
    stub(tmp_path, monkeypatch, lp=script)
    sent = to_queue(JOB, "zebra")
    assert sent == Sent(5, 5, len(JOB), answered=True, job="zebra-42")
    assert took.read_bytes() == JOB
    assert (tmp_path / "asked").read_text() == "-d zebra -t labels -o raw -- -\n"


def test_a_queue_that_does_not_take_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, monkeypatch, lp="echo 'lp: The printer or class does not exist.' >&2; exit 1")
    with pytest.raises(NotSent, match=r"“zebra” did not take the labels \(lp: The printer or class does not exist\.\)"):
        to_queue(JOB, "zebra")


def test_stopped_before_it_is_handed_over_a_queue_gets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, monkeypatch, lp=f"echo > {tmp_path}/called")
    assert to_queue(JOB, "zebra", cancelled=lambda: True) == Sent(0, 5, 0, stopped=True)
    assert not (tmp_path / "called").exists()


def test_a_printing_service_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, monkeypatch, lp="exec /bin/sleep 20")
    monkeypatch.setattr(outlets, "QUEUE_S", 0.2)
    with pytest.raises(PerhapsSent, match=r"has not answered for 0\.2 s"):
        to_queue(JOB, "zebra")


def test_a_pc_without_cups_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="This PC has no command “lp”"):
        to_queue(JOB, "zebra")
    assert queues() == ()


@pytest.mark.parametrize("queue", ["", "-o", "two words", "a/b", "a;b'", "x" * 200])
def test_a_name_no_queue_can_have_is_refused(queue: str) -> None:
    with pytest.raises(Refused, match="is no print queue's name"):
        to_queue(JOB, queue)


def test_queues_are_listed_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, monkeypatch, lpstat="echo zebra; echo office")
    assert queues() == ("office", "zebra")
    stub(tmp_path, monkeypatch, lpstat="echo 'lpstat: Bad file descriptor' >&2; exit 1")
    assert queues() == ()
