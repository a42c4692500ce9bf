"""The labels of a print as they were printed: to look at, each with what became of it, and never to print from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.services.desk import Desk
from pharmacy_app.services.ports import EVERY_LABEL, LabelFilter
from pharmacy_app.services.printing import kept_paper
from pharmacy_app.services.views import LabelLine
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.labels_lines import COLUMNS, LabelRow
from ui.pages.stock_parts import TippedRows
from ui.paper import LABEL_DPI, PaperDialog
from ui.widgets.basics import Button
from ui.widgets.panels import Banner
from ui.widgets.tables import DataTable

_SHOWN = ("kind", "number", "copy", "out", "scanned")


@dataclass(frozen=True, slots=True)
class KeptLabels:
    """A print's kept pages, and its labels as they stand now."""

    pdf: bytes
    labels: tuple[LabelLine, ...]


def kept_labels(desk: Desk, print_seq: int, sha256: str) -> KeptLabels:
    """What was kept of a print; raises ``Refused`` when its pages are not in the store."""
    pdf = kept_paper(desk, sha256)
    with desk.store.read() as reader:
        return KeptLabels(pdf, tuple(reader.labels(LabelFilter(print_seq=print_seq), limit=EVERY_LABEL)))


def state_words(labels: Sequence[LabelLine]) -> tuple[str, str]:
    """The banner over the pictures: its kind, and how many of the labels count no more."""
    void = [label for label in labels if not label.live]
    only = "A picture for looking. A label prints only again, with its reason, as a copy of its own."
    if not void:
        return "info", only
    which = "This label is" if len(labels) == 1 else f"{len(void)} of these {len(labels)} labels are"
    return "warn", f"{which} void or never came out. {only}"


class KeptLabelsDialog(PaperDialog):
    """The pictures of a print's labels and their states; *Print again* asks for the reason and is recorded."""

    def __init__(
        self, office: Office, title: str, kept: KeptLabels, print_again: Callable[[], None], parent: QWidget
    ) -> None:
        super().__init__(office.bridge, office.desk.papers, title, "", kept.pdf, parent, dpi=LABEL_DPI)
        self.only_look()
        self.states = Banner("info", "", name="kept_labels_state")
        self.states.set_message(*state_words(kept.labels))
        rows = TippedRows(tuple(column for column in COLUMNS if column.key in _SHOWN), parent=self)
        rows.set_rows([LabelRow(label) for label in kept.labels])
        self.rows = rows
        self.table = DataTable(
            rows,
            name="kept_labels_table",
            label="The labels of this print",
            empty_text="This print is from before labels were recorded one by one.",
            sortable=False,
            visible_rows=min(max(len(kept.labels), 1), 4),
        )
        lead_rows(office, self.table, thing=named("number"))
        self.again_button = Button("&Print again…", name="kept_labels_again", icon="print")
        why_not = office.why_not("paper_printed")
        self.again_button.setEnabled(not why_not)
        self.again_button.setToolTip(why_not)
        self.again_button.clicked.connect(self.accept)
        self.again_button.clicked.connect(print_again)
        column = cast(QVBoxLayout, self.layout())
        column.insertWidget(0, self.states)
        column.insertWidget(2, self.table)
        self.foot.addWidget(self.again_button)
