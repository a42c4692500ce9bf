"""Forecast: what to order and by when; the vials needed each week beside what is usable; every number's doses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.forecast import MONTH_DAYS, WEEKS, Certainty, Forecast, Need, Sentence, Week
from pharmacy_app.domain.units import show_m2, show_mg
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services.forecast import ForecastForm, SiteForecast, print_forecast, site_forecast
from pharmacy_app.services.printing import Printed, unit_ranges
from ui.office import Office
from ui.pages.stock_parts import TippedRows, say_mg, vials_count
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_L, SPACE_S
from ui.widgets.basics import Button, IconView, Text, clear_layout
from ui.widgets.charts import PictureView
from ui.widgets.fields import DecimalField, Form, TextField
from ui.widgets.panels import Banner, Card, Page
from ui.widgets.tables import Column, DataTable
from ui.widgets.week_bars import WeekBar, WeekBars
from ui.widgets.working import WorkingView

LEGEND = tuple(certainty.value for certainty in Certainty)
_WORDS = {"stop": "Stop", "warn": "Look", "info": "Note", "ok": "Enough"}


@dataclass(frozen=True, slots=True)
class WeekRow:
    """A week in the table."""

    week: Week
    number: int
    first: date
    doses: str
    needed_1: str
    after_1: int
    needed_4: str
    after_4: int
    state: str


@dataclass(frozen=True, slots=True)
class DoseRow:
    """A dose in the table with what it takes."""

    need: Need
    on: date
    who: str
    place: str
    mg: str
    certainty: str
    vials: str


def needed_words(week: Week, strength_mg: Decimal, *, with_new: bool) -> str:
    """How many vials of a strength a week needs: fixed + if treatment goes on (+ new subjects); a dash for none."""
    shown = [sure for sure in Certainty if with_new or sure is not Certainty.NEW]
    counts = [week.needs(strength_mg, sure) for sure in shown]
    return " + ".join(map(str, counts)) if any(counts) else "–"


def week_row(week: Week, *, with_new: bool) -> WeekRow:
    """A week's line of the table; ``with_new`` when new subjects are assumed."""
    one, four = STRENGTHS_MG
    states = [f"{week.short} cannot be made" if week.short else "", f"{week.unknown} not known" if week.unknown else ""]
    return WeekRow(
        week,
        week.number,
        week.first,
        str(week.doses) if week.doses else "–",
        needed_words(week, one, with_new=with_new),
        week.after(one),
        needed_words(week, four, with_new=with_new),
        week.after(four),
        ", ".join(state for state in states if state) or "–",
    )


def taken_words(need: Need) -> str:
    """Which vials of the stock a dose takes, and which would be ordered for it."""
    if not need.known:
        return "not known"
    if need.dose.reserved:
        return "reserved already"
    parts = []
    for strength in STRENGTHS_MG:
        units = tuple(vial.unit_number for vial in need.vials if vial.strength_mg == strength)
        if units:
            parts.append(f"{len(units)} × {say_mg(strength)} ({unit_ranges(units)})")
        if need.to_order(strength):
            parts.append(f"{need.to_order(strength)} × {say_mg(strength)} to be ordered")
    return ", ".join(parts)


def dose_row(need: Need) -> DoseRow:
    """A dose's line of the table."""
    dose = need.dose
    return DoseRow(
        need,
        dose.on,
        dose.subject_number,
        dose.place,
        "not known" if dose.mg is None else show_mg(dose.mg),
        dose.certainty.value,
        taken_words(need),
    )


def dose_words(need: Need) -> str:
    """What there is to say of one dose beyond its line."""
    dose = need.dose
    said = [f"{dose.whose}, {say_day(dose.on)}: {taken_words(need)}.", dose.words]
    if need.missing_mg:
        assert dose.mg is not None
        said.append(f"It takes {show_mg(dose.mg)}; what is usable that day lacks {show_mg(need.missing_mg)}.")
    if need.vials:
        lots = sorted({f"lot {vial.lot}, last day {say_day(vial.expires_on)}" for vial in need.vials})
        said.append(f"From the stock: {'; '.join(lots)}.")
    words = " ".join(part for part in said if part)
    return words[:1].upper() + words[1:]


def bar_words(forecast: Forecast, strength_mg: Decimal) -> str:
    """What the bars of a strength say, as sentences."""
    weeks = [week for week in forecast.weeks if week.needs(strength_mg)]
    if not weeks:
        return f"No {say_mg(strength_mg)} vial is needed until {say_day(forecast.until)}."
    needs = "; ".join(
        f"week {week.number}: {week.needs(strength_mg)} needed, {week.after(strength_mg)} usable after"
        for week in weeks
    )
    return f"{say_mg(strength_mg)} vials. {needs}. In other weeks none is needed."


class _SentenceRow(QWidget):
    """One sentence with its icon and word."""

    def __init__(self, said: Sentence, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        word = Text(_WORDS[said.kind], "label", tone=said.kind, wrap=False)
        word.setFixedWidth(56)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addWidget(IconView(said.kind, said.kind), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(word, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Text(said.words, name=f"{name}_text"), 1)


class ForecastPage(Page):
    """The next weeks' supply. What is typed of new subjects holds for this page only and is stored nowhere."""

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Forecast",
            f"The vials that the doses of the next {WEEKS} weeks take, against usable stock.",
            name="forecast_page",
            max_width=None,
        )
        self._office = office
        self._print_act = office.act()
        self._asked = self._tried = ForecastForm()
        self._found: SiteForecast | None = None
        self.print_button = Button("&Print", name="forecast_print", icon="print")
        self.print_button.setEnabled(False)
        self.print_button.clicked.connect(self._print)
        self.action_bar.addWidget(self.print_button)
        self._trouble = Banner("stop", "", name="forecast_trouble")
        self._trouble.hide()
        self.add(self._trouble)
        self._to_do = Card("What to do", name="forecast_to_do")
        self._sentences = QVBoxLayout()
        self._sentences.setSpacing(SPACE_S)
        self._to_do.body.addLayout(self._sentences)
        self.settings_button = Button("Set the order &lead time", name="forecast_lead_time")
        self.settings_button.clicked.connect(self._settings)
        self._to_do.body.addWidget(self.settings_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.add(self._to_do)
        self.add(self._make_assumption())
        self.add(self._make_stock())
        self.add(self._make_weeks())
        self.add(self._make_doses())
        for card in (self._to_do, self._stock_card, self._weeks_card, self._doses_card):
            card.hide()

    # -- parts

    def _make_assumption(self) -> Card:
        card = Card(
            "New subjects",
            f"An assumption to try: it is stored nowhere, and stated with the forecast. A month is {MONTH_DAYS} days.",
            name="forecast_assumption",
        )
        self.form = Form(columns=3, name="forecast_form")
        self.form.add(TextField("new_per_month", "&New subjects a month", max_length=2))
        self.form.add(DecimalField("bsa_m2", "&Body surface area of each", unit="m²"))
        self.button = Button("Forecast ane&w", name="forecast_anew", kind="primary", icon="refresh")
        self.button.clicked.connect(self.ask)
        for field in self.form.fields():
            assert isinstance(field, TextField)
            field.editor().returnPressed.connect(self.ask)
        card.add(self.form)
        self._assumed = Text("", "small", name="forecast_assumed")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._assumed, 1)
        row.addWidget(self.button)
        card.body.addLayout(row)
        return card

    def _make_stock(self) -> Card:
        self._stock_card = Card(
            "Stock over time",
            "Usable vials at the end of each day, as known now, and by the forecast after today.",
            name="forecast_stock_card",
        )
        self.stock_views = [
            PictureView(name=f"forecast_stock_{strength}", titled=True, height=190) for strength in STRENGTHS_MG
        ]
        for view in self.stock_views:
            self._stock_card.add(view)
        return self._stock_card

    def _make_weeks(self) -> Card:
        one, four = (say_mg(strength) for strength in STRENGTHS_MG)
        self._weeks_card = Card(
            "Week by week",
            "Needed: vials of doses that are fixed + those that come if treatment goes on + those of assumed new"
            " subjects. After: usable on the week's last day, after use and without what expired.",
            name="forecast_weeks_card",
        )
        self.bars = {
            strength: WeekBars(
                name=f"forecast_bars_{strength}",
                label=f"{say_mg(strength)} vials needed and left, week by week",
                legend=LEGEND,
            )
            for strength in STRENGTHS_MG
        }
        charts = QHBoxLayout()
        charts.setSpacing(SPACE_L)
        for strength, bars in self.bars.items():
            column = QVBoxLayout()
            column.addWidget(Text(f"{say_mg(strength)} vials", "label"))
            column.addWidget(bars)
            charts.addLayout(column, 1)
        self._weeks_card.body.addLayout(charts)
        self._week_rows = TippedRows(
            (
                Column("number", "Week", numeric=True, width=56),
                Column("first", "From", write=say_day, width=104),
                Column("doses", "Doses", numeric=True, width=72),
                Column("needed_1", f"{one} needed", width=112, stretch=True),
                Column("after_1", f"{one} after", numeric=True, width=88, tone=_none_left("after_1")),
                Column("needed_4", f"{four} needed", width=112, stretch=True),
                Column("after_4", f"{four} after", numeric=True, width=88, tone=_none_left("after_4")),
                Column("state", "State", width=120, tone=lambda row: "stop" if row.week.short else ""),
            ),
            parent=self,
        )
        self.weeks = FittingTable(
            self._week_rows,
            spare=("doses", "state"),
            name="forecast_weeks",
            label="Vials needed by week",
            empty_text="",
            visible_rows=WEEKS,
            sortable=False,
        )
        self.weeks.setFixedHeight(36 * (WEEKS + 1) + 4)
        # By selection, not by the current row: to come to the table by Tab is not to choose a week.
        self.weeks.selectionModel().selectionChanged.connect(self._choose_week)
        self._weeks_card.add(self.weeks)
        self._weeks_card.add(Text("Choose a week to see its doses alone beneath.", "small"))
        return self._weeks_card

    def _make_doses(self) -> Card:
        self._doses_card = Card(
            "Doses", "The doses behind the numbers. Choose one to read how it was made.", name="forecast_doses_card"
        )
        self._which = Text("", "muted", name="forecast_which")
        self.all_button = Button("Show &all weeks", name="forecast_all", kind="quiet")
        self.all_button.clicked.connect(self._show_all)
        head = QHBoxLayout()
        head.addWidget(self._which, 1)
        head.addWidget(self.all_button)
        self._doses_card.body.addLayout(head)
        self._dose_rows = TippedRows(
            (
                Column("on", "Day", write=say_day, width=116),
                Column("who", "Subject", width=120),
                Column("place", "Dose", width=140),
                Column("mg", "Amount", numeric=True, width=96),
                Column("certainty", "How sure", width=150),
                Column("vials", "Takes", width=220, stretch=True, tone=lambda row: _tone(row.need)),
            ),
            parent=self,
        )
        self.doses = DataTable(
            self._dose_rows,
            name="forecast_doses",
            label="Doses ahead",
            empty_text="No dose is expected in these weeks.",
            visible_rows=8,
            sortable=False,
        )
        self.doses.row_chosen.connect(self._show_working)
        self._doses_card.add(self.doses)
        self._said = Text("", name="forecast_dose_words")
        self._doses_card.add(self._said)
        self.working = WorkingView(name="forecast_working")
        self._doses_card.add(self.working)
        return self._doses_card

    # -- asking

    def refresh(self) -> None:
        """Forecast anew, with the assumption last asked for."""
        desk, form = self._office.desk, self._asked
        self._office.ask(lambda reader: site_forecast(desk, reader, form), self._got, self._failed)

    def ask(self) -> None:
        """Forecast with what is typed of new subjects."""
        desk, form = self._office.desk, self._typed()
        self.button.setEnabled(False)
        self._tried = form
        self._office.ask(lambda reader: site_forecast(desk, reader, form), self._got_anew, self._refused)

    def _typed(self) -> ForecastForm:
        values = self.form.values()
        return ForecastForm(values["new_per_month"], values["bsa_m2"])

    def _got_anew(self, found: SiteForecast) -> None:
        self.button.setEnabled(True)
        self.form.clear_faults()
        self._asked = self._tried
        self._got(found)

    def _refused(self, trouble: Exception) -> None:
        self.button.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.form.show_faults(faults)

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", f"The forecast could not be made: {trouble}")
        self._trouble.show()

    # -- showing

    def _got(self, found: SiteForecast) -> None:
        self._trouble.hide()
        self._found = found
        made = found.forecast
        self.set_title("Forecast", f"{say_day(made.today)} to {say_day(made.until)}, from usable stock as of today")
        clear_layout(self._sentences)
        said = [*made.sentences, *(Sentence("warn", words) for words in made.unknown)]
        if found.not_counted.words():
            said.append(Sentence("info", found.not_counted.words()))
        for at, sentence in enumerate(said, start=1):
            self._sentences.addWidget(_SentenceRow(sentence, f"forecast_said_{at}"))
        self.settings_button.setVisible(made.lead_time is None)
        new = made.new_subjects
        self._assumed.setText(
            "None are assumed."
            if new is None
            else f"Assumed: {new.per_month} a month, each of {show_m2(new.bsa_m2)}, the first in "
            f"{MONTH_DAYS // new.per_month} days; each begins with cycle 1 at the full dose and goes on."
        )
        for strength, bars in self.bars.items():
            bars.set_weeks(
                [
                    WeekBar(
                        str(week.number),
                        tuple(week.needs(strength, sure) for sure in Certainty),
                        week.after(strength),
                        any(need.to_order(strength) for need in _of_week(made, week)),
                    )
                    for week in made.weeks
                ],
                bar_words(made, strength),
            )
        self._week_rows.set_rows([week_row(week, with_new=new is not None) for week in made.weeks])
        for view, picture in zip(self.stock_views, found.pictures, strict=True):
            view.set_picture(picture)
        for card in (self._to_do, self._stock_card, self._weeks_card, self._doses_card):
            card.show()
        self.print_button.setEnabled(True)
        self._show_all()

    def _show_all(self) -> None:
        assert self._found is not None
        self.weeks.clearSelection()
        self._show_doses(self._found.forecast.whole.needs, "All weeks")
        self.all_button.hide()

    def _choose_week(self) -> None:
        chosen: list[WeekRow] = self.weeks.selected_rows()
        if self._found is None or not chosen:
            return
        needs = [need for row in chosen for need in _of_week(self._found.forecast, row.week)]
        many = "Week" if len(chosen) == 1 else "Weeks"
        self._show_doses(needs, f"{many} {', '.join(str(row.number) for row in chosen)}")
        self.all_button.show()

    def _show_doses(self, needs: Sequence[Need], which: str) -> None:
        self._dose_rows.set_rows([dose_row(need) for need in needs])
        self._which.setText(f"{which}: {vials_count(len(needs), 'dose')}.")
        self._said.setText("")
        self.working.set_steps(())

    def _show_working(self, row: DoseRow | None) -> None:
        if row is None:
            return
        self._said.setText(dose_words(row.need))
        self.working.set_steps(row.need.dose.steps, opened=False)

    def _settings(self) -> None:
        self._office.go.emit("settings", "study")

    # -- paper

    def _print(self) -> None:
        desk, act, form = self._office.desk, self._print_act, self._asked
        self.print_button.setEnabled(False)
        self._office.do(
            lambda: print_forecast(desk, act, form), self._printed, self._not_printed, busy="Printing the forecast"
        )

    def _printed(self, printed: Printed) -> None:
        self._print_act = self._office.act()
        self.print_button.setEnabled(True)
        self._office.changed.emit()
        self._office.show_paper("Supply forecast", "supply-forecast.pdf", printed, self)

    def _not_printed(self, trouble: Exception) -> None:
        self.print_button.setEnabled(True)
        self._office.say_trouble(trouble)


def _of_week(made: Forecast, week: Week) -> tuple[Need, ...]:
    return tuple(need for need in made.whole.needs if week.first <= need.dose.on <= week.last)


def _tone(need: Need) -> str:
    return "stop" if need.missing_mg else "" if need.known else "warn"


def _none_left(key: str) -> Callable[[WeekRow], str]:
    return lambda row: "" if getattr(row, key) else "warn"


def make_page(office: Office) -> ForecastPage:
    """The page as the window builds it."""
    return ForecastPage(office)
