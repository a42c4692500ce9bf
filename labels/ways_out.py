"""The label room's ways out behind the services' port; what they need is loaded with the first job, not before."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pharmacy_app.services.ports import LabelStock, Sent


class RoomOutlets:
    """``LabelOutlets`` of this PC: its files, its print queues, and the network."""

    def stocks(self) -> "Sequence[LabelStock]":
        """Every stock that is shipped, with the labels a sheet of it has."""
        from labels.stocks import choices
        from pharmacy_app.services.ports import LabelStock

        return tuple(LabelStock(name, one.grid.count if one.grid else 1) for name, one in choices().items())

    def queues(self) -> Sequence[str]:
        """The names of the system's print queues that take ZPL; none where there is no CUPS."""
        from labels.outlets import queues

        return queues()

    def to_printer(
        self,
        job: bytes,
        host: str,
        port: int,
        *,
        after: int = 0,
        tell: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> "Sent":
        """Send ZPL to a printer's raw port, label by label, from the one behind the first ``after``."""
        from labels.outlets import to_printer

        return to_printer(job, host, port, after=after, tell=tell, cancelled=cancelled)

    def to_queue(self, job: bytes, queue: str, *, cancelled: Callable[[], bool] | None = None) -> "Sent":
        """Hand ZPL to a queue of the system, untouched."""
        from labels.outlets import to_queue

        return to_queue(job, queue, cancelled=cancelled)

    def to_file(self, content: bytes, path: "Path", *, labels: int) -> "Sent":
        """Write the labels whole or not at all, and never over a file that is there."""
        from labels.outlets import write_file

        return write_file(content, path, labels=labels)
