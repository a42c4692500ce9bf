"""Prints labels as the window does, in a process of its own: the printing service is looked for once in a process.

``python -m tests.ui.print_to_queue QUEUE KIND DPI COUNT``; it writes how it ended.
"""

import sys
from types import SimpleNamespace
from typing import cast

from PySide6.QtWidgets import QApplication

from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.papers import LabelSetup
from pharmacy_app.services.sending import Outgoing
from pharmacy_app.services.views import PrinterEntry
from tests.labels.label_samples import LABELS
from ui.bridge import Progress
from ui.pages.print_labels import send_job


def main(queue: str, kind: str, dpi: int, count: int) -> int:
    """Draw the labels and send them to the queue."""
    app = QApplication([])
    papers = PdfPapers()
    pdf = papers.labels([LABELS[kind]] * count, LabelSetup(dpi=dpi))
    printer = PrinterEntry(queue, "system", queue, "pdf", dpi)
    told: list[str] = []
    progress = Progress(lambda done, total: told.append(f"{done}/{total}"))
    # Of the desk only its papers are used on this way.
    desk = cast(Desk, SimpleNamespace(papers=papers))
    try:
        sent = send_job(desk, Outgoing(printer, "pdf", pdf, count, dpi, "labels.pdf"), progress)
    except Refused as refused:
        sys.stdout.write(f"refused: {refused.faults[0].field}: {refused.faults[0].sentence}\n")
        return 1
    sys.stdout.write(f"sent {sent.labels} of {sent.of_labels}; told {' '.join(told)}\n")
    app.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
