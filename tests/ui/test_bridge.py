"""The way to the database thread and back: order, trouble, receivers that are gone, closing."""

import logging
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pharmacy_app.domain.errors import Fault, Refused, Unavailable
from ui.bridge import Bridge, Cancelled, Progress, Unexpected
from ui.messages import Message, MessageBridge, MessageKind
from ui.widgets.crash import CrashDialog, LastResort


class Receiver(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.done: list[object] = []
        self.failed: list[Exception] = []
        self.threads: set[QThread] = set()

    def take(self, value: object) -> None:
        self.done.append(value)
        self.threads.add(QThread.currentThread())

    def fail(self, trouble: Exception) -> None:
        self.failed.append(trouble)


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[Bridge]:
    made = Bridge()
    yield made
    made.close()


def test_results_come_back_in_order_in_the_gui_thread(qtbot: QtBot, bridge: Bridge) -> None:
    receiver, workers = Receiver(), set()

    def work(number: int) -> int:
        workers.add(threading.get_ident())
        time.sleep(0.002 if number % 2 else 0)
        return number

    for number in range(200):
        bridge.run(partial(work, number), receiver.take, receiver.fail)
    qtbot.waitUntil(lambda: len(receiver.done) == 200)
    assert receiver.done == list(range(200))
    assert len(workers) == 1
    assert threading.get_ident() not in workers
    assert receiver.threads == {QThread.currentThread()}


def test_a_refusal_crosses_as_a_value(qtbot: QtBot, bridge: Bridge) -> None:
    receiver = Receiver()

    def work() -> None:
        raise Refused(Fault("lot", "Lot 7781 expired."), Fault("count", "Type at least 1."))

    bridge.run(work, receiver.take, receiver.fail)
    qtbot.waitUntil(lambda: bool(receiver.failed))
    [trouble] = receiver.failed
    assert isinstance(trouble, Refused)
    assert [fault.field for fault in trouble.faults] == ["lot", "count"]
    assert trouble.__traceback__ is None
    assert receiver.done == []


def test_the_world_being_in_the_way(qtbot: QtBot, bridge: Bridge) -> None:
    receiver = Receiver()

    def work() -> None:
        raise Unavailable("The disk is full.")

    bridge.run(work, receiver.take, receiver.fail)
    qtbot.waitUntil(lambda: bool(receiver.failed))
    assert str(receiver.failed[0]) == "The disk is full."


def test_a_fault_of_the_program_goes_to_the_last_resort_and_frees_the_page(
    qtbot: QtBot, bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, reports = Receiver(), Reports()
    bridge.crashed.connect(reports.take)
    bridge.run(lambda: 1 // 0, receiver.take, receiver.fail)
    qtbot.waitUntil(lambda: bool(receiver.failed))
    assert isinstance(receiver.failed[0], Unexpected)
    assert len(reports.texts) == 1
    assert "ZeroDivisionError" in reports.texts[0]
    bridge.run(lambda: 7, receiver.take, receiver.fail)
    qtbot.waitUntil(lambda: receiver.done == [7])


class Reports(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def take(self, report: str) -> None:
        self.texts.append(report)


def test_a_receiver_that_is_gone_gets_nothing(qtbot: QtBot, bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    gone, stays = Receiver(), Receiver()
    hold = threading.Event()
    bridge.run(hold.wait, gone.take, gone.fail)
    bridge.run(lambda: "second", stays.take, stays.fail)
    done = gone.done
    del gone
    with caplog.at_level(logging.WARNING, "ui.bridge"):
        hold.set()
        qtbot.waitUntil(lambda: stays.done == ["second"])
    assert done == []
    assert "Receiver.take was dropped" in caplog.text


def test_only_bound_methods_of_living_objects(bridge: Bridge) -> None:
    receiver = Receiver()
    with pytest.raises(TypeError, match="bound method"):
        bridge.run(int, lambda _: None, receiver.fail)
    with pytest.raises(TypeError, match="bound method"):
        bridge.run(int, receiver.take, print)
    assert not bridge.busy


def test_closing_lets_acts_end_and_delivers_them(qtbot: QtBot) -> None:
    bridge, receiver = Bridge(), Receiver()
    bridge.run(lambda: time.sleep(0.05), receiver.take, receiver.fail)
    bridge.run(lambda: "recorded", receiver.take, receiver.fail)
    bridge.close()
    assert receiver.done == [None, "recorded"]
    with pytest.raises(RuntimeError):
        bridge.run(int, receiver.take, receiver.fail)
    bridge.close()


def test_closing_does_not_wait_for_long_work(qtbot: QtBot) -> None:
    bridge, receiver = Bridge(), Receiver()

    def work(progress: Progress) -> None:
        for _ in range(1000):
            progress.stop_if_cancelled()
            time.sleep(0.01)

    bridge.run_long(work, receiver.take, receiver.fail)
    began = time.monotonic()
    bridge.close()
    assert time.monotonic() - began < 5
    assert isinstance(receiver.failed[0], Cancelled)


def test_busy_is_said_and_unsaid(qtbot: QtBot, bridge: Bridge) -> None:
    receiver = Receiver()
    seen: list[tuple[bool, str]] = []
    bridge.busy_changed.connect(lambda busy, what: seen.append((busy, what)))
    bridge.run(int, receiver.take, receiver.fail, busy="Saving the receipt")
    qtbot.waitUntil(lambda: len(receiver.done) == 1)
    assert seen == [(True, "Saving the receipt"), (False, "")]


def test_long_work_tells_how_far_it_is_and_can_be_stopped(qtbot: QtBot, bridge: Bridge) -> None:
    receiver = Receiver()
    parts: list[tuple[int, int]] = []
    bridge.progressed.connect(lambda done, total: parts.append((done, total)))
    started = threading.Event()

    def work(progress: Progress) -> None:
        for at in range(10_000):
            progress.report(at, 10_000)
            started.set()
            progress.stop_if_cancelled()
            time.sleep(0.001)

    progress = bridge.run_long(work, receiver.take, receiver.fail)
    qtbot.waitUntil(lambda: len(parts) > 1)
    progress.cancel()
    qtbot.waitUntil(lambda: bool(receiver.failed))
    assert isinstance(receiver.failed[0], Cancelled)
    assert all(total == 10_000 for _, total in parts)
    assert [done for done, _ in parts] == sorted(done for done, _ in parts)


def test_each_fault_is_shown_once_and_the_report_can_be_copied(qtbot: QtBot) -> None:
    resort = LastResort()
    resort.take("Traceback one")
    resort.take("Traceback one")
    resort.take("Traceback two")
    shown = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, CrashDialog)]
    assert len(shown) == 2
    shown[0].copy()
    assert "Traceback" in QApplication.clipboard().text()
    for dialog in shown:
        dialog.accept()


class Window(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Message] = []

    def show_message(self, message: Message) -> None:
        self.shown.append(message)


def test_messages_wait_for_a_window(qtbot: QtBot) -> None:
    messages, window = MessageBridge(), Window()
    messages.error("The file is locked.")
    messages.ok("Recorded.")
    assert window.shown == []
    messages.attach(window.show_message)
    assert [(m.kind, m.text) for m in window.shown] == [
        (MessageKind.STOP, "The file is locked."),
        (MessageKind.OK, "Recorded."),
    ]
    messages.detach()
    messages.warn("Later.")
    assert len(window.shown) == 2


def test_messages_may_come_from_any_thread(qtbot: QtBot) -> None:
    messages, window = MessageBridge(), Window()
    messages.attach(window.show_message)
    thread = threading.Thread(target=messages.info, args=("From elsewhere.",))
    thread.start()
    thread.join()
    assert window.shown == []
    QCoreApplication.processEvents()
    assert [m.text for m in window.shown] == ["From elsewhere."]
