"""Sending printed labels to their printer: the bytes that were kept, each label once.

What went is never sent a second time: a further paper is a further print, with its reason and its entry. A PDF for a
printer of the system is printed by the window; every other job goes out by the label room's ways.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pharmacy_app.domain.dates import say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.ports import EVERY_LABEL, RAW_PORT, LabelFilter, Reader, Sent
from pharmacy_app.services.printers import printer_named
from pharmacy_app.services.views import LabelLine, PrinterEntry


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A print's bytes on their way: to which printer, in which language, and how many labels they are.

    ``dpi`` are the dots an inch that the labels were made for; ``name`` is the file's where they go to a folder.
    The first ``after`` labels went before and are not sent again.
    """

    printer: PrinterEntry
    language: str
    content: bytes
    labels: int
    dpi: int
    name: str
    after: int = 0

    @property
    def by_window(self) -> bool:
        """Whether the window prints it: a PDF for a printer of the system."""
        return self.language == "pdf" and self.printer.outlet == "system"


def outgoing(reader: Reader, print_seq: int) -> Outgoing | None:
    """What a print sends to its printer, as the printer is set now; ``None`` where it was made for no printer.

    Raises ``Refused`` for a printer that is out of use, or takes another language by now.
    """
    event = reader.event(print_seq)
    if event is None or not event.content.get("printer"):
        return None
    content = event.content
    printer = printer_named(reader, content["printer"])
    if printer is None or not printer.entry.in_use or printer.entry.language != content["language"]:
        raise Refused(
            Fault(
                "printer",
                f"{content['printer']} is not set any more as it was for this print. Save the PDF, or print again on"
                " another printer.",
            )
        )
    job = reader.paper(content.get("job_sha256") or content["sha256"])
    assert job is not None
    language = content["language"]
    kind = content["form_kind"].replace(" ", "-")
    return Outgoing(
        printer.entry,
        language,
        job,
        len(content["labels"]),
        content["setup"]["dpi"],
        f"{kind}-label-{print_seq}.{language}",
    )


class Overtaken(Refused):
    """The record says something else by now than that these labels are to be sent."""


def to_send(reader: Reader, print_seq: int, after: int = 0) -> Outgoing:
    """What of a print is still to be sent: its labels behind the first ``after``.

    Raises ``Overtaken`` when a label among them was answered for, voided, scanned back or printed anew meanwhile, and
    ``Refused`` as ``outgoing`` does.
    """
    job = outgoing(reader, print_seq)
    if job is None:
        raise Refused(Fault("printer", "This print was made for no printer: print it from its PDF."))
    left = reader.labels(LabelFilter(print_seq=print_seq), limit=EVERY_LABEL)
    words = next((words for label in left if label.line > after and (words := _overtaken(reader, label))), "")
    if words:
        raise Overtaken(Fault("print_seq", f"{words} Nothing more was sent."))
    return replace(job, after=after)


def _overtaken(reader: Reader, label: LabelLine) -> str:
    """Why a label must not be sent any more; '' when it waits for its paper."""
    named = f"label {label.line} of this print, {label.number},"
    if label.status == "void":
        assert label.voided_at is not None
        return f"{label.voided_by} voided {named} on {say_moment(label.voided_at)}: {label.void_why}."
    if label.status == "never out":
        return f"It is on record that {named} never came out: it goes to the printer only by a new print."
    if label.status == "out" or label.scanned_at is not None:
        return f"It is on record that {named} came out: another paper of it needs a new print and its reason."
    same = LabelFilter(number=label.number, kind=label.kind, about=label.about)
    for later in reader.labels(same, limit=EVERY_LABEL):
        if later.event_seq > label.event_seq and later.status != "never out":
            return f"{later.printed_by} printed {named} anew on {say_moment(later.printed_at)}."
    return ""


def send(
    desk: Desk,
    job: Outgoing,
    tell: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sent:
    """Send the labels where their printer is; ``tell`` hears how many of how many have gone, with those before.

    Raises ``NotSent`` when the printer does not take them all, ``PerhapsSent`` when nobody knows, ``Refused`` for a
    file that is there already.
    """
    target = job.printer.target
    if job.printer.outlet == "file":
        return desk.outlets.to_file(job.content, Path(target) / job.name, labels=job.labels)
    if job.printer.outlet == "tcp":
        host, _, port = target.rpartition(":")
        port_number = int(port or RAW_PORT)
        return desk.outlets.to_printer(job.content, host, port_number, after=job.after, tell=tell, cancelled=cancelled)
    return desk.outlets.to_queue(job.content, target, cancelled=cancelled)
