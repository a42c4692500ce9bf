"""Guards against a Qt binding that loses references to None.

PySide6 6.12.0 drops one reference to None with every Qt call that returns nothing; after some thousand calls
Python 3.11 aborts with 'deallocating None', in the middle of a working day. From Python 3.12 on None is never
counted, so there the fault cannot be seen and does no harm.
"""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject, QTimer

CALLS = 1000


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is not counted from Python 3.12 on.")
def test_a_thousand_qt_calls_that_return_nothing_lose_no_reference_to_none() -> None:
    watched = QObject()
    timer = QTimer()
    before = sys.getrefcount(None)
    for number in range(CALLS):
        watched.setObjectName("vial")
        timer.setInterval(number)
    lost = before - sys.getrefcount(None)
    assert lost < CALLS // 10, f"{lost} references to None were lost in {2 * CALLS} Qt calls."
