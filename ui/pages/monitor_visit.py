"""Visits: planned, opened on what changed since the one before, reviewed, and signed."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Account, Role
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, today_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed
from pharmacy_app.services.records_visits import print_visit
from pharmacy_app.services.visits import OpenVisitForm, PlanForm, Sample, open_visit, plan_visit, visit_so_far
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.monitor_parts import Drafts, NarrowTable, standing
from ui.pages.monitor_review import ReviewFacts, ReviewView, review_facts
from ui.pages.monitor_sign import SignVisitDialog
from ui.pages.stock_parts import ActDialog, TippedRows
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, DateField, TextField
from ui.widgets.panels import Banner, Card
from ui.widgets.tables import Column


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The day at the site, every visit, those of the person signed in, and the one shown with its review."""

    today: date
    visits: tuple[views.VisitLine, ...]
    monitors: tuple[Account, ...]
    shown: ReviewFacts | None


def visit_facts(desk: Desk, account_id: str, number: str | None, sample: Sample | None, reader: Reader) -> VisitFacts:
    """What the section shows: the visit of that number, or (``None``) the one that this account has open; '' for none.

    ``sample`` is that of the visit shown, where it is known already.
    """
    visits = tuple(reader.visits())
    if number is None:
        shown = next((each for each in visits if each.monitor_id == account_id and each.status == "open"), None)
    else:
        shown = next((each for each in visits if each.number == number), None)
    reviewed = shown is not None and shown.status != "planned"
    monitors = tuple(each for each in reader.accounts() if Role.MONITOR in each.roles and each.active)
    return VisitFacts(
        today_of(desk, reader),
        visits,
        monitors,
        review_facts(reader, shown, sample) if shown is not None and reviewed else None,
    )


def days_words(visit: views.VisitLine) -> str:
    """The planned days of a visit."""
    first, last = say_day(visit.from_on), say_day(visit.to_on)
    if first == last:
        return first
    if first[2:] == last[2:]:
        # Within one month: 23 to 24-Nov-2026.
        return f"{first[:2]} to {last}"
    return f"{first} to {last}"


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit in the table."""

    visit: views.VisitLine
    zone: str

    @property
    def number(self) -> str:
        """Its number."""
        return self.visit.number

    @property
    def status(self) -> str:
        """Planned, open or signed."""
        return self.visit.status

    @property
    def monitor(self) -> str:
        """Whose it is."""
        return self.visit.monitor

    @property
    def days(self) -> str:
        """The planned days."""
        return days_words(self.visit)

    @property
    def purpose(self) -> str:
        """What it is for."""
        return self.visit.purpose

    @property
    def signed(self) -> str:
        """The day of the site on which it was signed, '' while it was not."""
        at = self.visit.signed_at
        return say_day(at.astimezone(ZoneInfo(self.zone)).date()) if at is not None else ""

    @property
    def held(self) -> str:
        """How many of its entries were verified when it was signed."""
        record = self.visit.record
        if record is None:
            return ""
        return f"{record.entries.verified:,} of {record.entries.reviewable:,}"


class VisitsView(QWidget):
    """The next step and all visits. Signals ``chosen(VisitLine)``, ``open_asked(VisitLine)``, ``plan_asked()``."""

    chosen = Signal(object)
    open_asked = Signal(object)
    plan_asked = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("visits_view")
        self._office = office
        self._next: views.VisitLine | None = None
        self.card = Card("Your next step" if office.is_monitor else "Visits of the monitor", name="visit_next")
        self._words = Text("", name="visit_next_words")
        self.go = Button("", name="visit_go", kind="primary")
        self.go.clicked.connect(self._go)
        self.plan = Button("&Plan a visit…", name="visit_plan", icon="plus")
        self.plan.clicked.connect(self.plan_asked)
        why_not = office.why_not("visit_planned")
        self.plan.setVisible(not why_not)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._words, 1)
        row.addWidget(self.plan)
        row.addWidget(self.go)
        self.card.body.addLayout(row)
        self._rows = TippedRows(
            (
                Column("number", "Visit", width=84),
                Column("status", "State", width=84, tone=lambda row: "ok" if row.status == "signed" else ""),
                Column("monitor", "Monitor", width=130),
                Column("days", "Planned for", width=130),
                Column("purpose", "Purpose", width=140, stretch=True),
                Column("held", "Verified", width=110, write=lambda text: text or "–"),
                Column("signed", "Signed", width=110, write=lambda text: text or "–"),
            ),
            parent=self,
        )
        self.table = NarrowTable(
            self._rows,
            leaves_out=("monitor", "signed"),
            below=820,
            name="visits_table",
            label="Visits",
            empty_text="No visit was planned yet.",
            visible_rows=6,
        )
        self.table.row_activated.connect(self._activated)
        lead_rows(self._office, self.table, thing=named("number"))
        visits = Card("All visits", "Enter opens one, as it is or as it was signed.", name="visits_card")
        visits.add(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.card)
        column.addWidget(visits)
        column.addStretch(1)

    def show_facts(self, facts: VisitFacts) -> None:
        """Show the visits and what comes next."""
        zone = self._office.site.time_zone
        kept = self.table.current_row()
        self._rows.set_rows([VisitRow(visit, zone) for visit in facts.visits])
        if kept is not None:
            numbers = [row.number for row in self._rows.rows()]
            if kept.number in numbers:
                self.table.setCurrentIndex(self._rows.index(numbers.index(kept.number), 0))
        own = [visit for visit in facts.visits if visit.monitor_id == self._office.session.account_id]
        opened = next((visit for visit in own if visit.status == "open"), None)
        planned = sorted((visit for visit in own if visit.status == "planned"), key=lambda visit: visit.from_on)
        self._next = opened or (planned[0] if planned else None)
        may_open = self._office.may("visit_opened")
        if not may_open:
            now = next((visit for visit in facts.visits if visit.status == "open"), None)
            what = "No visit is open." if now is None else f"Visit {now.number} of {now.monitor} is open."
            if facts.visits:
                what += " Enter on a visit below shows what was reviewed."
            self._words.setText(f"{what} Only a monitor opens, reviews and signs.")
        elif opened is not None:
            self._words.setText(f"Visit {opened.number} is open. Go on reading what changed, then sign it.")
            self.go.set_text(f"Go &on with visit {opened.number}")
        elif self._next is not None:
            planned_today = self._next.from_on <= facts.today <= self._next.to_on
            late = "" if planned_today else " Opening it today takes a reason."
            self._words.setText(f"Planned for {days_words(self._next)}: {self._next.purpose}.{late}")
            self.go.set_text(f"&Open visit {self._next.number}")
        else:
            self._words.setText("No visit is planned for you. Plan one for today or a later day, then open it.")
        self.go.setVisible(may_open and self._next is not None)
        self.plan.set_kind("primary" if may_open and self._next is None else "secondary")

    def _go(self) -> None:
        if self._next is not None:
            (self.chosen if self._next.status == "open" else self.open_asked).emit(self._next)

    def _activated(self, row: VisitRow) -> None:
        if row.status != "planned":
            self.chosen.emit(row.visit)
        elif row.visit.monitor_id == self._office.session.account_id and self._office.may("visit_opened"):
            self.open_asked.emit(row.visit)


class VisitSection(QWidget):
    """The open visit, or all of them; ``show_visit(number)`` shows one.

    Signal ``stands_on(QWidget)``: where the keyboard belongs once it is known what is shown first.
    """

    stands_on = Signal(object)

    def __init__(self, office: Office, drafts: Drafts) -> None:
        super().__init__()
        self.setObjectName("monitor_visit")
        self._office, self._drafts = office, drafts
        # The visit shown; '' for the list where the person went back to it, None for whatever is open.
        self._number: str | None = None
        self._facts: VisitFacts | None = None
        self._open_act, self._print_act = office.act(), office.act()
        self._opening = ""
        # Whether an act has just made another step the next one: the keyboard goes there.
        self._goes_on = False
        self._trouble = Banner("stop", "", name="visit_trouble")
        self._trouble.hide()
        self.visits = VisitsView(office)
        self.visits.chosen.connect(self._show)
        self.visits.open_asked.connect(self._ask_open)
        self.visits.plan_asked.connect(self._ask_plan)
        self.review = ReviewView(office, drafts)
        self.review.left.connect(self._leave)
        self.review.sign_asked.connect(self._ask_sign)
        self.review.print_asked.connect(self._print)
        self.visits.hide()
        self.review.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._trouble)
        column.addWidget(self.visits, 1)
        column.addWidget(self.review, 1)

    # -- what is shown

    def refresh(self) -> None:
        """Ask anew for the visits, and for the review of the one shown."""
        known = self.review.sample if self._number is not None and self._number == self.review.visit else None
        ask = partial(visit_facts, self._office.desk, self._office.session.account_id, self._number, known)
        self._office.ask(ask, self._got, self._failed)

    def show_visit(self, number: str) -> None:
        """Show one visit; '' for all of them, the table with the focus."""
        self._number = number
        self.refresh()

    def stop(self) -> QWidget:
        """Where the keyboard belongs now."""
        return self._stop_of(self.visits if self.review.isHidden() else self.review)

    def _stop_of(self, view: QWidget) -> QWidget:
        if view is self.review:
            return self.review.table
        if not self.visits.go.isHidden():
            return self.visits.go
        return self.visits.plan if self.visits.plan.isVisibleTo(self.visits) else self.visits.table

    def _got(self, facts: VisitFacts) -> None:
        self._trouble.hide()
        first = self._facts is None
        self._facts = facts
        self.visits.show_facts(facts)
        if facts.shown is not None:
            self._number = facts.shown.visit.number
            self.review.show_facts(facts.shown)
        now, before = (self.review, self.visits) if facts.shown is not None else (self.visits, self.review)
        now.show()
        if self._goes_on:
            self._stop_of(now).setFocus()
        elif first:
            self.stands_on.emit(self._stop_of(now))
        elif any(before.isAncestorOf(here) for here in standing(self)):
            # Before the other is hidden: what hides gives the keyboard to whatever stands next to it.
            self._stop_of(now).setFocus()
        before.hide()
        self._goes_on = False

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"The visits could not be read: {trouble}")
        self._trouble.show()

    def _show(self, visit: views.VisitLine) -> None:
        self.show_visit(visit.number)

    def _leave(self) -> None:
        self.show_visit("")

    # -- planning and opening

    def _ask_plan(self) -> None:
        facts = self._facts
        if facts is None:
            return
        own = self._office.session
        mine = [account for account in facts.monitors if account.account_id == own.account_id]
        offered = mine if mine and Role.PHARMACIST not in own.roles else list(facts.monitors)
        desk = self._office.desk

        def work(act: Act, values: dict[str, str]) -> Event:
            return plan_visit(desk, act, PlanForm(**values))

        monitor = ChoiceField(
            "monitor", "&Monitor", [(each.user_name, each.printed_name) for each in offered], required=True
        )
        if len(offered) == 1 or mine:
            monitor.set_value((mine or offered)[0].user_name)
        from_on, to_on = DateField("from_on", "&From", required=True), DateField("to_on", "&Through", required=True)
        purpose = TextField("purpose", "P&urpose", required=True, max_length=200, placeholder="routine visit")
        from_on.set_date(facts.today)
        to_on.set_date(facts.today)
        dialog = ActDialog(
            self._office,
            "Plan a visit",
            "The monitor opens it on one of these days and reviews what changed since the visit before.",
            "&Plan the visit",
            [monitor, from_on, to_on, purpose],
            work,
            name="visit_plan_dialog",
            busy="Planning the visit",
            parent=self,
        )
        if monitor.value():
            purpose.editor().setFocus()
        dialog.succeeded.connect(self._planned)
        dialog.open()

    def _planned(self, event: Event) -> None:
        self._goes_on = True
        self._office.messages.ok(f"Visit {event.content['visit']} is planned.")
        self._office.changed.emit()

    def _ask_open(self, visit: views.VisitLine) -> None:
        """Open a visit at once on a planned day; on another one the reason is asked for."""
        desk, act = self._office.desk, self._open_act
        self._opening = visit.number
        form = OpenVisitForm(visit.number)
        self._office.do(
            lambda: open_visit(desk, act, form), self._opened, self._not_opened, busy=f"Opening visit {visit.number}"
        )

    def _not_opened(self, trouble: Exception) -> None:
        faults = trouble.faults if isinstance(trouble, Refused) else ()
        if [fault.field for fault in faults] != ["reason"]:
            self._office.say_trouble(trouble)
            return
        desk, number = self._office.desk, self._opening

        def work(act: Act, values: dict[str, str]) -> Event:
            return open_visit(desk, act, OpenVisitForm(number, **values))

        dialog = ActDialog(
            self._office,
            f"Open visit {number} on another day",
            str(faults[0]),
            "&Open the visit",
            [TextField("reason", "&Reason", required=True, max_length=300)],
            work,
            name="visit_open_dialog",
            busy=f"Opening visit {number}",
            parent=self,
        )
        dialog.succeeded.connect(self._opened)
        dialog.open()

    def _opened(self, event: Event) -> None:
        self._open_act = self._office.act()
        self._number = event.content["visit"]
        self._goes_on = True
        self._office.messages.ok(f"Visit {self._number} is open. Read what changed, the gravest first.")
        self._office.changed.emit()

    # -- signing and printing

    def _ask_sign(self, visit: views.VisitLine) -> None:
        self._office.ask(partial(_to_sign, visit.number), self._got_record, self._office.say_trouble)

    def _got_record(self, found: tuple[views.VisitLine, views.VisitRecord]) -> None:
        dialog = SignVisitDialog(self._office, *found, self._drafts, self)
        dialog.signed.connect(self._signed)
        dialog.open()

    def _signed(self, event: Event) -> None:
        self._office.messages.ok(f"Visit {event.content['visit']} is signed (event {event.seq}).")
        self._number = None
        self._goes_on = True
        self._office.changed.emit()

    def _print(self, visit: views.VisitLine) -> None:
        self.review.print_button.setEnabled(False)
        desk, act = self._office.desk, self._print_act
        self._office.do(
            lambda: print_visit(desk, act, visit.number),
            self._printed,
            self._not_printed,
            busy="Printing the visit's report",
        )

    def _printed(self, printed: Printed) -> None:
        self._print_act = self._office.act()
        self.review.print_button.setEnabled(True)
        self._office.changed.emit()
        about = printed.event.content["papers"][0]["about"]
        self._office.show_paper(f"Report of visit {about}", f"visit-{about}.pdf", printed, self)

    def _not_printed(self, trouble: Exception) -> None:
        self.review.print_button.setEnabled(True)
        self._office.say_trouble(trouble)


def _to_sign(number: str, reader: Reader) -> tuple[views.VisitLine, views.VisitRecord]:
    visit = reader.visit(number)
    assert visit is not None, number
    return visit, visit_so_far(reader, visit)
