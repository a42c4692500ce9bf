"""One count as it was handed in: what was expected, what was counted, and what did not agree."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.counts import CountLine, say_difference
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.about import lot_name
from pharmacy_app.services.behind import Counted, Thing
from pharmacy_app.services.counts import print_count
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed, unit_ranges
from pharmacy_app.services.views import Discrepancy, StockCount
from ui.office import Office
from ui.pages.counts_parts import KIND_WORDS, METHOD_WORDS, ROW_HEIGHT, kinds_words, strengths_words
from ui.pages.figure import lead_rows
from ui.pages.query_strip import QueryStrip
from ui.pages.stock_parts import TippedRows, say_at, say_mg, vials_count
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text, clear_layout
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.tables import Column, DataTable


@dataclass(frozen=True, slots=True)
class CountFacts:
    """A count and the discrepancy it opened, as that stands now."""

    count: StockCount
    discrepancy: Discrepancy | None


def count_facts(reader: Reader, number: str) -> CountFacts:
    """A count by its number; raises ``Refused`` when there is none."""
    count = reader.stock_count(number)
    if count is None:
        raise Refused(Fault("number", f"There is no count {number}."))
    return CountFacts(count, reader.discrepancy(count.discrepancy) if count.discrepancy else None)


@dataclass(frozen=True, slots=True)
class _Row:
    strength_mg: Decimal
    lot: str
    kind: str
    expires_on: str
    expected: int
    counted: int
    difference: str
    agrees: bool
    words: str
    counted_as: str


def _row(line: CountLine) -> _Row:
    parts = [f"missing {unit_ranges(line.missing)}"] if line.missing else []
    parts += [f"not expected {unit_ranges(line.unexpected)}"] if line.unexpected else []
    return _Row(
        line.strength_mg,
        line.lot,
        KIND_WORDS[line.kind],
        "not in the record" if line.expires_on is None else say_day(line.expires_on),
        line.expected,
        line.counted,
        say_difference(line.difference),
        line.agrees,
        "; ".join(parts) or ("agrees" if line.agrees else "differs"),
        line.kind,
    )


def _tone(row: _Row) -> str:
    return "" if row.agrees else "stop"


class CountView(QWidget):
    """A count's record. Signals ``back()``, ``explain(str number)`` to go to its discrepancy."""

    back = Signal()
    explain = Signal(str)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("count_view")
        self._office = office
        self._act = office.act()
        self._number = ""
        self._facts: CountFacts | None = None
        self._title = Text("", "section", name="count_view_title")
        self._back = Button("&All counts", name="count_view_back")
        self._back.clicked.connect(self.back)
        self.print_button = Button("&Print the record", name="count_print", icon="print")
        self.print_button.clicked.connect(self._print)
        self.explain_button = Button("E&xplain the discrepancy", name="count_explain", kind="primary")
        self.explain_button.clicked.connect(self._explain)
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(self._title, 1)
        for button in (self._back, self.print_button, self.explain_button):
            head.addWidget(button)
        self.outcome = Banner("ok", "", name="count_outcome")
        card = Card(name="count_card")
        self._pairs = KeyValues(columns=2, name="count_facts")
        card.add(self._pairs)
        self._rows = TippedRows(
            (
                Column("strength_mg", "Strength", write=say_mg, numeric=True),
                Column("lot", "Lot", width=120),
                Column("kind", "Counted as", width=130),
                Column("expected", "Expected", numeric=True),
                Column("counted", "Counted", numeric=True),
                Column("difference", "Difference", numeric=True, tone=_tone),
                Column("words", "Which", stretch=True, tone=_tone),
            ),
            parent=self,
        )
        self.table = DataTable(
            self._rows,
            name="count_lines",
            label="What was expected and what was counted",
            empty_text="Nothing was expected here, and nothing was found.",
            sortable=False,
        )
        lead_rows(
            office,
            self.table,
            {which: partial(self._behind, which) for which in ("expected", "counted", "difference")},
            thing=lambda row: Thing(lot_name(row.lot, row.strength_mg)),
        )
        card.add(self.table)
        self._more = QVBoxLayout()
        self._more.setSpacing(SPACE_XS)
        card.body.addLayout(self._more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addLayout(head)
        column.addWidget(self.outcome)
        self._queries = QueryStrip(office, name="count_query")
        column.addWidget(self._queries)
        column.addWidget(card)
        column.addStretch(1)

    def _behind(self, which: str, row: _Row) -> Counted:
        """What is behind a number of the count that is shown."""
        return Counted(self._number, row.counted_as, row.strength_mg, row.lot, which)

    @property
    def number(self) -> str:
        """The count that is shown."""
        return self._number

    def show_facts(self, facts: CountFacts) -> None:
        """Show a count."""
        count, found = facts.count, facts.discrepancy
        if count.number != self._number:
            self._act = self._office.act()
        self._number, self._facts = count.number, facts
        self._title.setText(f"Count {count.number}")
        self._queries.show_about(count.number)
        self._show_outcome(count, found)
        self._pairs.set_pairs(
            [
                ("Handed in", say_at(count.counted_at, self._office.site.time_zone)),
                ("Counted by", count.counted_by),
                ("Place", count.place),
                ("Verified by", count.verified_by),
                ("What", f"{kinds_words(count.kinds)}, {strengths_words(count)}"),
                ("How", METHOD_WORDS[count.method]),
                ("Note", count.note),
            ]
        )
        rows = [_row(line) for line in count.lines]
        kinds = len(count.kinds) > 1
        self.table.setColumnHidden(2, not kinds)
        self._rows.set_rows(rows)
        self.table.setFixedHeight(ROW_HEIGHT * (min(max(len(rows), 2), 8) + 1) + 4)
        clear_layout(self._more)
        for title, items in (
            ("Missing", [unit_ranges(line.missing) for line in count.lines if line.missing]),
            ("Found here, elsewhere or otherwise in the record", [stray.sentence for stray in count.strays]),
            ("Codes that are no vial of this record", list(count.unknown)),
        ):
            if items:
                self._more.addSpacing(SPACE_S)
                self._more.addWidget(Text(title, "label"))
                for item in items:
                    self._more.addWidget(Text(item))

    def _show_outcome(self, count: StockCount, found: Discrepancy | None) -> None:
        counted = vials_count(sum(line.counted for line in count.lines), "item")
        if found is None:
            self.outcome.set_message("ok", f"Shelf and record agree: {counted} counted.", word="Agrees")
        elif found.status == "open":
            self.outcome.set_message(
                "warn",
                f"{found.sentence}\nDiscrepancy {found.number} stands until it is explained and signed by two people.",
                word="Differs",
            )
        else:
            self.outcome.set_message(
                "info",
                f"{found.sentence}\nDiscrepancy {found.number}: {found.outcome}. {found.explanation}"
                f" Signed by {found.closed_by}.",
                word="Explained",
            )
        is_open = found is not None and found.status == "open"
        self.explain_button.setVisible(is_open)
        self.explain_button.setEnabled(self._office.may("discrepancy_explained"))
        self.explain_button.setToolTip(self._office.why_not("discrepancy_explained"))

    def _explain(self) -> None:
        if self._facts is not None and self._facts.discrepancy is not None:
            self.explain.emit(self._facts.discrepancy.number)

    # -- printing

    def _print(self) -> None:
        desk, act, number = self._office.desk, self._act, self._number
        self.print_button.setEnabled(False)

        def work() -> Printed:
            return print_count(desk, act, number)

        self._office.do(work, self._printed, self._not_printed, busy="Printing the count record")

    def _printed(self, printed: Printed) -> None:
        self._act = self._office.act()
        self.print_button.setEnabled(True)
        number = printed.event.content["papers"][0]["about"]
        self._office.show_paper(f"Count record {number}", f"count-{number}.pdf", printed, self)
        self._office.changed.emit()

    def _not_printed(self, trouble: Exception) -> None:
        self.print_button.setEnabled(True)
        self._office.say_trouble(trouble)
