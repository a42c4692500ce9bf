"""The supply forecast of the site: the facts gathered from the record, the assumption read, the paper printed.

Nothing of it is recorded but the paper: an assumption on new subjects holds for one look and is stated with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pharmacy_app.domain.forecast import Forecast, LeadTime, NewSubjects, OrderedDose, SubjectFacts, forecast
from pharmacy_app.domain.request import Height, Weight
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import in_date
from pharmacy_app.services.charts import stock_over_time
from pharmacy_app.services.desk import Act, Desk, Moment, protocol_of, site_of, today_of, zone_of
from pharmacy_app.services.papers import ForecastPaper
from pharmacy_app.services.pictures import Picture
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.preparation import UNDER_WAY, usable_vial
from pharmacy_app.services.printing import Printed, print_record, stamp_of
from pharmacy_app.services.questions import OPEN
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.study_settings import order_lead_time_of, settings_of
from pharmacy_app.services.treatment import history_of, treatment_of

MOST_NEW = 20
"""The most new subjects a month that are taken: more is a slip of the keyboard for a phase II site."""

PAPER = "supply forecast"


@dataclass(frozen=True, slots=True)
class ForecastForm:
    """New subjects a month and the body surface area assumed for each (m²), as typed; '' for none."""

    new_per_month: str = ""
    bsa_m2: str = ""


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Unopened vials on site that the forecast leaves out, by why: held, in quarantine, expired."""

    held: int
    quarantined: int
    expired: int

    def words(self) -> str:
        """One sentence, '' when nothing is left out."""
        parts = [
            f"{count} {state}"
            for count, state in ((self.held, "held"), (self.quarantined, "in quarantine"), (self.expired, "expired"))
            if count
        ]
        if not parts:
            return ""
        said = f"Not counted as stock: {', '.join(parts)}."
        return said + (" Return or transfer what expired." if self.expired else "")


@dataclass(frozen=True, slots=True)
class SiteForecast:
    """The forecast with the vials on site that it does not count, and the stock over time of each strength."""

    forecast: Forecast
    not_counted: NotCounted
    pictures: tuple[Picture, ...]


def site_forecast(desk: Desk, reader: Reader, form: ForecastForm) -> SiteForecast:
    """The forecast as of today; raises ``Refused`` for an assumption that cannot be read."""
    site, today = site_of(reader), today_of(desk, reader)
    new = _read(form, protocol_of(site, today).bsa.min_m2, protocol_of(site, today).bsa.max_m2)
    lead = order_lead_time_of(reader)
    made = forecast(
        tuple(_subjects(reader, today)),
        tuple(usable_vial(vial) for vial in reader.usable_vials(today, unscanned=True)),
        settings_of(reader),
        lambda on: protocol_of(site, on),
        today,
        None if lead is None else LeadTime(lead.value.days, lead.source),
        new,
    )
    pictures = tuple(stock_over_time(reader, strength, today, zone_of(site), made) for strength in made.strengths_mg)
    return SiteForecast(made, _not_counted(reader, today), pictures)


def print_forecast(desk: Desk, act: Act, form: ForecastForm) -> Printed:
    """Print the forecast as it stands now, with its assumption; anyone signed in may."""

    def make(reader: Reader, moment: Moment, copy_number: int) -> bytes:
        found = site_forecast(desk, reader, form)
        return desk.papers.supply_forecast(
            ForecastPaper(
                stamp=stamp_of(desk, reader, moment.person.printed_name, moment.now),
                product=protocol_of(moment.site, moment.today).study.drug,
                forecast=found.forecast,
                not_counted=found.not_counted.words(),
                pictures=found.pictures,
                copy_number=copy_number,
            )
        )

    with desk.store.read() as reader:
        today = today_of(desk, reader)
    return print_record(desk, act, PAPER, f"from {today.isoformat()}", make)


def _read(form: ForecastForm, least: Decimal, most: Decimal) -> NewSubjects | None:
    reading = Reading()
    per_month = 0
    if form.new_per_month.strip():
        per_month = reading.count(
            form.new_per_month, "new_per_month", "The number of new subjects a month", low=0, high=MOST_NEW
        )
    bsa_m2 = None
    if form.bsa_m2.strip():
        bsa_m2 = reading.decimal(form.bsa_m2, "bsa_m2", "The assumed body surface area", "m²")
        if not least <= bsa_m2 <= most:
            reading.fault(
                "bsa_m2",
                f"A body surface area of {show(bsa_m2)} m² is not likely: {show(least)} to {show(most)} m² are taken. "
                "Check the number.",
                "",
                "8.1.3",
            )
    elif per_month:
        reading.fault("bsa_m2", "Type the body surface area to assume for a new subject, for example 1.8.")
    reading.done()
    return NewSubjects(per_month, bsa_m2) if per_month and bsa_m2 is not None else None


def _subjects(reader: Reader, today: date) -> Iterator[SubjectFacts]:
    orders: dict[str, list[OrderedDose]] = {}
    for line in reader.doses(statuses=OPEN):
        orders.setdefault(line.subject_number, []).append(
            OrderedDose(
                line.dose_id,
                line.course,
                line.cycle,
                line.day,
                line.level,
                line.planned_on,
                line.prescribed_mg,
                reserved=line.status in UNDER_WAY,
            )
        )
    for subject in reader.subjects():
        number = subject.subject_number
        known = [row for row in reader.measurements(number) if row.measured_on <= today]
        height = next((Height(row.value, row.measured_on) for row in known if row.kind == "height"), None)
        weight = next((Weight(row.value, row.measured_on) for row in known if row.kind == "weight"), None)
        yield SubjectFacts(
            number,
            history_of(reader, number),
            treatment_of(reader, number),
            height,
            weight,
            tuple(orders.get(number, ())),
        )


def _not_counted(reader: Reader, today: date) -> NotCounted:
    stock = reader.stock()

    def count(*states: str, expired: bool) -> int:
        return sum(
            line.vials for line in stock if line.state in states and in_date(line.expires_on, today) is not expired
        )

    return NotCounted(
        held=count("held", expired=False),
        quarantined=count("quarantined", expired=False),
        expired=count("held", "available", "reserved", "quarantined", expired=True),
    )
