"""Periods of the record: those the monitor has signed, and the next one with what it holds, to be signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services.behind import Entry, PeriodCount
from pharmacy_app.services.desk import Credentials, Desk
from pharmacy_app.services.periods import PeriodForm, period_so_far, sign_period
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.views import Period, PeriodRecord
from ui.office import Office
from ui.pages.figure import Leads, lead_rows
from ui.pages.monitor_parts import NarrowTable
from ui.pages.stock_parts import TippedRows, say_at, say_mg, vials_count
from ui.widgets.basics import Text
from ui.widgets.fields import DateField, NoteField
from ui.widgets.panels import Card, KeyValues, SignatureBox
from ui.widgets.tables import Column


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A signed period in the table."""

    through_on: date
    signed_by: str
    signed_at: str
    new_lines: int
    late_entries: int
    corrections: int
    balance: str
    head: str
    note: str
    event_seq: int


def balance_words(record: PeriodRecord) -> str:
    """The vials on site at the end of a period, by strength and lot."""
    return "; ".join(
        f"{say_mg(line.strength_mg)} lot {line.lot}: {line.available} available, {line.quarantine} in quarantine"
        for line in record.balances
    )


def row_of(period: Period, zone: str) -> PeriodRow:
    """A signed period as the table shows it."""
    record = period.record
    return PeriodRow(
        period.through_on,
        period.signed_by,
        say_at(period.signed_at, zone),
        record.new_lines,
        record.late_entries,
        record.corrections,
        balance_words(record),
        f"{record.head_seq} {record.head_hash[:12]}",
        period.note,
        period.event_seq,
    )


def _counted(which: str) -> Leads:
    return lambda row: PeriodCount(row.event_seq, which)


class PeriodsCard(Card):
    """The signed periods; for the monitor also the next one, what it holds, and the signature."""

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Signed periods",
            "The monitor signs the record up to a day that is over. Nothing is dated there any more: what is found"
            " later is entered with today's time and says in words when it was.",
            name="periods_card",
        )
        self._office = office
        self._act = office.act()
        self._rows = TippedRows(
            (
                Column("through_on", "Through", write=say_day, width=120),
                Column("signed_by", "Signed by", width=150),
                Column("signed_at", "Signed at", width=150),
                Column("new_lines", "Lines", numeric=True),
                Column("late_entries", "Late", numeric=True),
                Column("corrections", "Corrected", numeric=True),
                Column("note", "Note", width=110, stretch=True, write=lambda text: text or "–"),
            ),
            parent=self,
        )
        self.table = NarrowTable(
            self._rows,
            leaves_out=("signed_at",),
            below=760,
            name="periods_table",
            label="Signed periods",
            empty_text="No period is signed yet.",
            visible_rows=3,
        )
        self.table.row_chosen.connect(self._say)
        counts = {"new_lines": "lines", "late_entries": "late entries", "corrections": "corrections"}
        behind = {key: _counted(which) for key, which in counts.items()}
        lead_rows(office, self.table, behind, thing=lambda row: Entry(row.event_seq))
        self.add(self.table)
        self._said = Text("", "muted", name="period_said")
        self._said.hide()
        self.add(self._said)
        self.through = DateField(
            "period_through", "Sign &through", hint="The last day of the period, a day that is over."
        )
        self.holds = KeyValues(columns=2, name="period_holds")
        # A line for every lot: it takes the whole width.
        self.on_site = KeyValues(name="period_on_site")
        self.note = NoteField("period_note", "Note on the period", lines=2)
        self.signature = SignatureBox("Signature", "", "Sign the perio&d", name="period_signature", primary=False)
        self.signature.set_user(office.session.user_name, fixed=True)
        self.signature.sign_requested.connect(self._sign)
        why_not = office.why_not("period_signed")
        self._why_not = Text(f"Signing: {why_not}", "small", name="period_why_not")
        self._why_not.setVisible(bool(why_not))
        self.add(self._why_not)
        self._signs: tuple[QWidget, ...] = (self.through, self.holds, self.on_site, self.note, self.signature)
        for part in self._signs:
            self.add(part)
            part.setVisible(not why_not)
        self._may = not why_not
        self._soon = QTimer(self, interval=250, singleShot=True)
        self._soon.timeout.connect(self._look)
        self.through.changed.connect(self._changed)
        self._changed()

    def is_dirty(self) -> bool:
        """Whether a day or a note was typed."""
        return bool(self.note.value() or self.through.value())

    def show_periods(self, periods: Sequence[Period]) -> None:
        """Show what is signed; what was typed for the next one stays."""
        self._rows.set_rows([row_of(period, self._office.site.time_zone) for period in periods])
        if periods:
            self.table.setCurrentIndex(self._rows.index(0, 0))

    def _say(self, row: PeriodRow) -> None:
        on_site = row.balance or "nothing"
        self._said.setText(
            f"Through {say_day(row.through_on)}, signed {row.signed_at}. On site at its end: {on_site}. Journal's end:"
            f" entry {row.head}."
        )
        self._said.show()

    # -- the next one

    def _changed(self) -> None:
        self.holds.hide()
        self.on_site.hide()
        self.signature.set_meaning("Type the last day of the period first.")
        if self.through.day() is not None and self._may:
            self._soon.start()

    def _look(self) -> None:
        day = self.through.day()
        if day is not None:
            self._office.ask(partial(_so_far, self._office.desk, day.isoformat()), self._got, self._not_got)

    def _got(self, found: tuple[str, PeriodRecord]) -> None:
        typed, record = found
        day = self.through.day()
        if day is None or day.isoformat() != typed:
            return
        self.through.set_fault("")
        self.holds.set_pairs(
            [
                ("Lines in all", f"{record.lines:,}"),
                ("Lines since the period before", f"{record.new_lines:,}"),
                ("Late entries", str(record.late_entries)),
                ("Corrections", str(record.corrections)),
                ("Open discrepancies", ", ".join(record.open_discrepancies) or "none"),
                ("Journal's end", f"entry {record.head_seq:,}, {record.head_hash[:12]}"),
            ]
        )
        self.on_site.set_pairs([("On site at its end", balance_words(record) or "nothing")])
        self.holds.show()
        self.on_site.show()
        self.signature.set_meaning(
            f"I reviewed the record through {say_day(day)}: {vials_count(record.new_lines, 'line')},"
            f" {record.late_entries} late, {record.corrections} corrected since the period before;"
            f" {vials_count(record.lines, 'line')} in all."
        )

    def _not_got(self, trouble: Exception) -> None:
        self.through.set_fault(_sentences(trouble, "through_on") or str(trouble))

    # -- the act

    def _sign(self, user: str, password: str) -> None:
        desk, act = self._office.desk, self._act
        form, own = PeriodForm(self.through.value(), self.note.value()), Credentials(user, password)
        self._office.do(
            lambda: sign_period(desk, act, form, own), self._signed, self._not_signed, busy="Signing the period"
        )

    def _signed(self, event: Event) -> None:
        self.signature.set_fault("")
        self._act = self._office.act()
        self.through.set_value("")
        self.note.set_value("")
        through = say_day(date.fromisoformat(event.content["through_on"]))
        self._office.messages.ok(f"The record is signed through {through} (event {event.seq}).")
        self._office.changed.emit()

    def _not_signed(self, trouble: Exception) -> None:
        day, note = _sentences(trouble, "through_on"), _sentences(trouble, "note")
        others = [str(fault) for fault in trouble.faults] if isinstance(trouble, Refused) else [str(trouble)]
        rest = [words for words in others if words not in (day, note)]
        self.signature.set_fault("\n".join(rest) or "The fields above need a look.")
        self.through.set_fault(day)
        self.note.set_fault(note)
        if day:
            self.through.editor().setFocus()


class PeriodsSection(QWidget):
    """The signed periods, with the height they need."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("monitor_periods")
        self._office = office
        self.card = PeriodsCard(office)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.card)
        column.addStretch(1)

    def refresh(self) -> None:
        """Ask anew."""
        self._office.ask(_periods, self._got, self._office.say_trouble)

    def stop(self) -> QWidget:
        """Where the keyboard begins: the periods."""
        return self.card.table

    def _got(self, found: tuple[Period, ...]) -> None:
        self.card.show_periods(found)


def _periods(reader: Reader) -> tuple[Period, ...]:
    return tuple(reader.periods())


def _so_far(desk: Desk, typed: str, reader: Reader) -> tuple[str, PeriodRecord]:
    return typed, period_so_far(desk, reader, typed)


def _sentences(trouble: Exception, field: str) -> str:
    faults = trouble.faults if isinstance(trouble, Refused) else ()
    return "\n".join(str(fault) for fault in faults if fault.field == field)
