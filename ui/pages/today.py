"""Today: what waits, the most urgent first, each with the button to its place; and the stock as calm numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.expiry import EXPIRED, expiry_warning, is_unopened
from pharmacy_app.domain.medication_errors import ClockState
from pharmacy_app.domain.units import show_mg
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services import questions, views
from pharmacy_app.services.behind import Stock
from pharmacy_app.services.doses import written_decisions
from pharmacy_app.services.medication_errors import ClockNow
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.queries import Aged, waiting_queries
from ui.office import Office
from ui.pages.errors_facts import left_words, running_clocks
from ui.pages.figure import Figure
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, IconView, Text, clear_layout, rule
from ui.widgets.dates import say_date
from ui.widgets.panels import Banner, Card, EmptyState, Page

NEXT_STEP = {
    "ordered": "Next: decide the dose – look at its working and findings.",
    "stopped": "The decision stopped this dose. Next: see why, then mend the cause or cancel the dose.",
    "decided": "Next: choose the vials and sign the plan.",
    "planned": "Next: the second check, by another person who calculates anew.",
    "verified": "Next: print the worksheet, mix, and record the preparation.",
    "prepared": "Next: print the bag labels and release the bag.",
    "released": "Next: record the administration.",
    "administered": "Next: close the opened vials in the mg ledger.",
    "cancelled": "Cancelled with opened vials. Next: close them in the mg ledger.",
}
"""What the next person does with a dose, by its status."""

_NO_CLOCKS: Mapping[str, Sequence[ClockNow]] = {}
_WORDS = {"stop": "Stop", "warn": "Look", "info": "Next"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits: how urgent, in words, and where its button leads."""

    kind: str
    title: str
    text: str
    verb: str
    place: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Usable:
    """The unopened vials of one strength: usable, on hand in date, expired, and when the first usable ones expire."""

    strength_mg: Decimal
    usable: int
    on_hand: int
    expired: int
    first_expiry: date | None


NBSP = "\N{NO-BREAK SPACE}"
"""Between a number and its unit where a line may end."""


@dataclass(frozen=True, slots=True)
class Day:
    """What the page shows."""

    today: views.Today
    stock: tuple[views.StockLine, ...]
    clocks: Mapping[str, Sequence[ClockNow]]
    by_decision: frozenset[str]
    queries: tuple[Aged, ...] = ()


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 vial``, ``3 vials``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def dose_words(line: views.DoseLine) -> str:
    """A dose in one line for a list."""
    return f"Subject {line.subject_number} · course {line.course}, cycle {line.cycle}, day {line.day}"


def waiting(
    today: views.Today,
    clocks: Mapping[str, Sequence[ClockNow]] = _NO_CLOCKS,
    by_decision: frozenset[str] = frozenset(),
    queries: Sequence[Aged] = (),
) -> tuple[Waiting, ...]:
    """Everything that waits, the most urgent first.

    ``clocks`` are those that run, by the error's number; ``by_decision`` the doses that go on by a written decision;
    ``queries`` those that wait for the person's answer, or for the monitor's word.
    """
    found: list[Waiting] = []
    if today.unset_settings:
        found.append(
            Waiting(
                "stop",
                f"{counted(len(today.unset_settings), 'study setting is', 'study settings are')} not signed yet",
                f"{', '.join(today.unset_settings)}. What needs them is refused until two people have signed.",
                "Open the settings",
                "settings",
            )
        )
    for due in today.due:
        found.append(
            Waiting(
                "warn" if due.late else "info",
                f"Subject {due.subject_number} · a dose is {'late' if due.late else 'due'}",
                due.words,
                f"Open subject {due.subject_number}",
                "subjects",
                due.subject_number,
            )
        )
    for line in today.open_doses:
        late = line.planned_on < today.day
        when = f"planned for {say_day(line.planned_on)}" + (", which has passed" if late else "")
        found.append(
            Waiting(
                "stop" if line.status == "stopped" else "warn" if late else "info",
                dose_words(line),
                f"{NEXT_STEP[line.status]}\nDose {line.dose_id}, {show_mg(line.prescribed_mg)} prescribed"
                f"{_decided(line, by_decision)}, {when}.",
                f"Open dose {line.dose_id}",
                "prepare",
                line.dose_id,
            )
        )
    found += [
        Waiting(
            "warn",
            f"{dose_words(line)}: vials opened and not closed",
            f"{NEXT_STEP[line.status]} Dose {line.dose_id}{_decided(line, by_decision)}.",
            f"Close {line.dose_id}",
            "prepare",
            line.dose_id,
        )
        for line in today.unclosed_doses
    ]
    if today.held:
        found.append(
            Waiting(
                "warn",
                f"{counted(today.held, 'vial is', 'vials are')} held",
                "They cannot be used until a pharmacist releases the shipment; those held for an alarm of its logger"
                " need the supporter's document too.",
                "Go to Receive",
                "receive",
            )
        )
    if today.quarantined:
        found.append(
            Waiting(
                "warn",
                f"{counted(today.quarantined, 'vial is', 'vials are')} in quarantine",
                "They are not used until the supporter permits it in writing (Protocol § 8.2).",
                "See quarantined vials",
                "vials",
            )
        )
    found += _deviations(today)
    found += _expiring(today)
    found += _to_relabel(today)
    found += _labels(today)
    found += _counts(today)
    found += _queries(queries)
    found += [
        Waiting(
            "stop",
            f"Medication error {error.error_id} is open",
            _error_words(error) + _clock_words(clocks.get(error.error_id, ())),
            f"Open {error.error_id}",
            "errors",
            error.error_id,
        )
        for error in today.open_errors
    ]
    known = {error.error_id for error in today.open_errors}
    found += [
        Waiting(
            "stop" if _overdue(running) else "warn",
            f"Medication error {error_id}: {'overdue' if _overdue(running) else 'a clock runs'}",
            _clock_words(running).strip(),
            f"Open {error_id}",
            "errors",
            error_id,
        )
        for error_id, running in clocks.items()
        if error_id not in known
    ]
    # A stop goes before everything else; the rest keeps its order.
    return tuple(sorted(found, key=lambda item: item.kind != "stop"))


def _decided(line: views.DoseLine, by_decision: frozenset[str]) -> str:
    return " with written decision" if line.dose_id in by_decision else ""


def _queries(queries: Sequence[Aged]) -> list[Waiting]:
    """Queries, the oldest first, with their age; those overdue stand out."""
    return [
        Waiting(
            "warn" if each.overdue else "info",
            f"Query {each.query.number} waits for {'an answer' if each.waits_for == 'the site' else 'the monitor'}",
            f"{each.query.text}\nAbout {each.about or 'the study'}, asked by {each.query.opened_by},"
            f" {counted(each.age_days, 'day')} old{', overdue' if each.overdue else ''}.",
            f"{'Answer' if each.waits_for == 'the site' else 'Open'} {each.query.number}",
            "monitor",
            each.query.number,
        )
        for each in queries
    ]


def _deviations(today: views.Today) -> list[Waiting]:
    """Storage deviations that are open, each with what to do next."""
    return [
        Waiting(
            "stop",
            f"Storage deviation {line.deviation_id} is open",
            f"{line.place}, {counted(line.vials, 'vial', 'vials')}. See what is missing: the supporter is told, and"
            " nothing is used until it permits it in writing (Protocol § 8.2).",
            f"Open {line.deviation_id}",
            "storage",
            line.deviation_id,
        )
        for line in today.open_deviations
    ]


def _error_words(error: views.ErrorLine) -> str:
    """The two doses of a dosing error; of one that a person reported, the report itself."""
    if error.source != "dosing rule" or error.administered_mg is None or error.prescribed_mg is None:
        return f"{error.sentence}\nIt waits for its assessment."
    return (
        f"Subject {error.subject_number}, dose {error.dose_id}.\n{show_mg(error.administered_mg)} given, "
        f"{show_mg(error.prescribed_mg)} prescribed ({error.difference.replace(' ', NBSP)}). It must be reported."
    )


def _overdue(clocks: Sequence[ClockNow]) -> bool:
    return any(clock.state is ClockState.OVERDUE for clock in clocks)


def _clock_words(clocks: Sequence[ClockNow]) -> str:
    """Who must still be told by when, a line each; '' where no clock runs."""
    return "".join(
        f"\n{clock.clock.name} must be told by {say_moment(clock.clock.due_at)}: {left_words(clock)}."
        for clock in clocks
    )


def _expiring(today: views.Today) -> list[Waiting]:
    return [
        Waiting(
            lot.kind,
            lot.title(today.day),
            lot.words(),
            f"See lot {lot.lot}",
            "vials",
            f"lot {lot.lot}",
        )
        for lot in today.expiring
    ]


def _counts(today: views.Today) -> list[Waiting]:
    """Discrepancies that stand, then the places that are to be counted within a week or should have been."""
    found = [
        Waiting(
            "warn",
            f"Discrepancy {line.number} between shelf and record stands",
            f"{line.sentence}\nTwo people sign what became of it.",
            f"Open {line.number}",
            "counts",
            line.number,
        )
        for line in today.discrepancies
    ]
    for due in today.counts:
        if due.soon:
            last = f"last counted on {say_day(due.last_on)}" if due.last_on else "never counted yet"
            found.append(
                Waiting(
                    "warn" if due.late else "info",
                    f"{due.place} {'should have been' if due.late else 'is to be'} counted by {say_day(due.due_on)}",
                    f"{last[:1].upper()}{last[1:]}. Each place with vials is counted once a month, by two people.",
                    "Begin the count",
                    "counts",
                    f"new:{due.place}",
                )
            )
    return found


def count_words(today: views.Today) -> str:
    """When each place was last counted and when it is next, a line each."""
    return "\n".join(
        f"{due.place}: {f'counted {say_day(due.last_on)}' if due.last_on else 'not counted yet'},"
        f" next {say_day(due.due_on)}."
        for due in today.counts
    )


def _to_relabel(today: views.Today) -> list[Waiting]:
    """The labels that still have the date from before an extension of the expiry."""
    if not today.to_relabel:
        return []
    lots = ", ".join(dict.fromkeys(f"{vial.lot} ({show_mg(vial.strength_mg)})" for vial in today.to_relabel))
    return [
        Waiting(
            "warn",
            f"{counted(len(today.to_relabel), 'label has', 'labels have')} the date from before an extension",
            f"The expiry of lot {lots} was extended. Next: print new labels, or say that they were renewed by hand.",
            "Renew the labels",
            "vials",
            "labels to renew",
        )
    ]


def _labels(today: views.Today) -> list[Waiting]:
    """The prints that nobody said came out, and the vials whose label was not scanned back."""
    found = []
    if today.open_prints:
        first = today.open_prints[0]
        where = f" on {first.printer}" if first.printer else ""
        found.append(
            Waiting(
                "warn",
                f"{counted(len(today.open_prints), 'printing of labels waits', 'printings of labels wait')}"
                " for an answer",
                f"Nobody said whether the labels came out: {counted(first.waiting, 'label')} of {first.labels}, printed"
                f"{where} at {say_moment(first.printed_at)} by {first.printed_by}.",
                "Answer for the labels",
                "labels",
            )
        )
    if today.unscanned:
        units = unit_ranges(tuple(sorted(vial.unit_number for vial in today.unscanned)))
        found.append(
            Waiting(
                "warn",
                f"{counted(len(today.unscanned), 'vial waits', 'vials wait')} for the scan of the label",
                f"{units}. Next: print the label if need be, put it on, and scan it; until then the vial is not used.",
                "Scan labels back",
                "labels",
                "scan back",
            )
        )
    for bag in today.unscanned_bags:
        found.append(
            Waiting(
                "warn",
                f"The bag of dose {bag.dose_id} waits for the scan of its labels",
                f"Subject {bag.subject_number}. Not scanned yet: the label of the {' and of the '.join(bag.kinds)}."
                " Next: scan each where it was put; until then the bag is not released.",
                "Scan the labels",
                "prepare",
                bag.dose_id,
            )
        )
    return found


def _by_decision(reader: Reader, today: views.Today) -> frozenset[str]:
    """The doses under way or to be closed that go on by a written decision."""
    threads = [reader.dose(line.dose_id) for line in (*today.open_doses, *today.unclosed_doses)]
    return frozenset(thread.line.dose_id for thread in threads if thread is not None and written_decisions(thread))


def usable_stock(day: Day) -> tuple[Usable, ...]:
    """Both strengths with usable and unopened vials."""
    found = []
    for strength in STRENGTHS_MG:
        usable = [line for line in day.today.usable if line.strength_mg == strength]
        unopened = [line for line in day.stock if line.strength_mg == strength and is_unopened(line.state)]
        in_date = [line for line in unopened if expiry_warning(line.expires_on, day.today.day) != EXPIRED]
        found.append(
            Usable(
                strength,
                sum(line.vials for line in usable),
                sum(line.vials for line in in_date),
                sum(line.vials for line in unopened) - sum(line.vials for line in in_date),
                min((line.expires_on for line in usable), default=None),
            )
        )
    return tuple(found)


class WaitingRow(QWidget):
    """One waiting thing: icon and word, what it is, what to do, and its button. Signal ``chosen(object)``."""

    chosen = Signal(object)

    def __init__(self, item: Waiting, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.item = item
        word = Text(_WORDS[item.kind], "label", tone=item.kind, wrap=False)
        word.setFixedWidth(48)
        title = Text(item.title, "strong", name=f"{name}_title")
        text = Text(item.text, "body", name=f"{name}_text")
        self.button = Button(item.verb, name=f"{name}_go")
        self.button.clicked.connect(self._choose)
        words = QVBoxLayout()
        words.setSpacing(SPACE_XS)
        words.addWidget(title)
        words.addWidget(text)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, SPACE_S, 0, SPACE_S)
        row.setSpacing(SPACE_S)
        row.addWidget(IconView(item.kind, item.kind), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(word, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addSpacing(SPACE_M)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)

    def _choose(self) -> None:
        self.chosen.emit(self.item)


class _StockNumber(QFrame):
    """Usable vials of one strength, large, with what is on hand beneath."""

    def __init__(self, office: Office, strength_mg: Decimal) -> None:
        super().__init__()
        strength = show_mg(strength_mg)
        name = f"stock_{strength.replace(' ', '_')}"
        self.setObjectName(name)
        behind = Stock(strength_mg, only="usable")
        self._number = Figure(office, f"Usable {strength} vials", "–", behind, name=f"{name}_usable")
        beside = Text("usable", "muted", wrap=False)
        line = QHBoxLayout()
        line.setSpacing(SPACE_S)
        line.addWidget(self._number, 0, Qt.AlignmentFlag.AlignBaseline)
        line.addWidget(beside, 0, Qt.AlignmentFlag.AlignBaseline)
        line.addStretch(1)
        self._on_hand = Text("", "muted", name=f"{name}_on_hand")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_XS)
        column.addWidget(Text(f"{strength} vials", "label", wrap=False))
        column.addLayout(line)
        column.addWidget(self._on_hand)

    def show_stock(self, stock: Usable) -> None:
        """Count anew; the keyboard stays where it is."""
        first = (
            f"First usable vial expires {say_day(stock.first_expiry)}." if stock.first_expiry else "None can be used."
        )
        on_hand = f"{stock.on_hand} unopened on hand."
        if stock.expired:
            on_hand += f" Apart from these {stock.expired} expired: return or transfer."
        self._number.set_shown(str(stock.usable))
        self._on_hand.setText(f"{on_hand}\n{first}")


class TodayPage(Page):
    """The first page after signing in."""

    def __init__(self, office: Office) -> None:
        super().__init__("Today", office.site.name, name="today_page", max_width=960)
        self._office = office
        self.new_order = Button("&New order", name="new_order", kind="primary", icon="plus")
        self.new_order.clicked.connect(self._order)
        self.action_bar.addWidget(self.new_order)
        self._trouble = Banner("stop", "", name="today_trouble")
        self._trouble.hide()
        self.add(self._trouble)
        why_not = office.why_not("dose_ordered")
        if why_not:
            self.new_order.setEnabled(False)
            self.new_order.setToolTip(why_not)
            self.add(Text(f"New order: {why_not}", "small", name="new_order_why_not"))
        self._waits = Card("What waits", name="what_waits")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._waits.body.addLayout(self._rows)
        self._waits.hide()
        self.add(self._waits)
        self._stock_numbers: dict[Decimal, _StockNumber] = {}
        self._stock = Card("Vials to use", "Usable means released, not reserved, and not expired today.", name="stock")
        self._numbers = QHBoxLayout()
        self._numbers.setSpacing(SPACE_L)
        self._stock.body.addLayout(self._numbers)
        self._counted = Text("", "muted", name="last_counted")
        self._stock.add(self._counted)
        self._stock.hide()
        self.add(self._stock)

    def refresh(self) -> None:
        """Ask what waits now."""
        desk = self._office.desk
        sides = {
            side
            for side, kind in (("the site", "query_answered"), ("the monitor", "query_closed"))
            if self._office.may(kind)
        }

        def question(reader: Reader) -> Day:
            waits = questions.today(desk, reader)
            return Day(
                waits,
                tuple(reader.stock()),
                running_clocks(desk, reader),
                _by_decision(reader, waits),
                tuple(each for each in waiting_queries(reader, waits.day) if each.waits_for in sides),
            )

        self._office.ask(question, self._got, self._failed)

    def _got(self, day: Day) -> None:
        self._trouble.hide()
        self.set_title("Today", f"{say_date(day.today.day)} · {self._office.site.name}")
        self._show_waiting(waiting(day.today, day.clocks, day.by_decision, day.queries))
        for stock in usable_stock(day):
            if stock.strength_mg not in self._stock_numbers:
                number = self._stock_numbers[stock.strength_mg] = _StockNumber(self._office, stock.strength_mg)
                self._numbers.addWidget(number, 1)
            self._stock_numbers[stock.strength_mg].show_stock(stock)
        self._waits.show()
        self._counted.setText(count_words(day.today))
        self._counted.setVisible(bool(day.today.counts))
        self._stock.show()

    def _show_waiting(self, items: tuple[Waiting, ...]) -> None:
        clear_layout(self._rows)
        buttons: list[Button] = []
        for at, item in enumerate(items):
            if at:
                self._rows.addWidget(rule())
            row = WaitingRow(item, f"waiting_{at + 1}")
            row.chosen.connect(self._open)
            self._rows.addWidget(row)
            buttons.append(row.button)
        # One column of buttons, all of one width.
        for button in buttons:
            button.setFixedWidth(max(each.sizeHint().width() for each in buttons))
        if not items:
            nothing = "No dose is under way, no vial is held, opened or about to expire, and no error is open."
            self._rows.addWidget(EmptyState("Nothing waits", nothing, icon="ok", name="nothing_waits"))

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"What waits could not be read: {trouble}")
        self._trouble.show()

    def _order(self) -> None:
        self._office.go.emit("prepare", "new")

    def _open(self, item: Waiting) -> None:
        self._office.go.emit(item.place, item.what)


def make_page(office: Office) -> QWidget:
    """The page for one office."""
    return TodayPage(office)
