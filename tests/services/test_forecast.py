"""The site's supply forecast from the record: who is on treatment, what is usable, which lead time is signed.

171 cm and 70 kg: 1.46, 0.91 and 0.91 mg in cycle 1, then 1.09 and 0.55 mg; a 1 mg vial gives 0.9 mg.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.forecast import ForecastForm, SiteForecast, print_forecast, site_forecast
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.study_settings import SettingsForm, order_lead_time_of, settings_of, sign_settings
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from tests.services.pharmacy import Pharmacy, open_pharmacy

ONE = Decimal(1)


@pytest.fixture
def pharmacy(tmp_path: Path) -> Pharmacy:
    return open_pharmacy(tmp_path / "study.sqlite")


def look(pharmacy: Pharmacy, form: ForecastForm | None = None) -> SiteForecast:
    with pharmacy.desk.store.read() as reader:
        return site_forecast(pharmacy.desk, reader, form or ForecastForm())


def sign_lead_time(pharmacy: Pharmacy, days: str, source: str = "Supply plan 1.0, p. 3") -> None:
    form = SettingsForm(order_lead_days=days, order_lead_source=source)
    sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


def test_an_empty_pharmacy_needs_nothing(pharmacy: Pharmacy) -> None:
    found = look(pharmacy)
    assert found.forecast.whole.needs == ()
    assert found.not_counted.words() == ""


def test_after_the_first_dose_the_rest_of_the_cycle_is_fixed(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-05-31", "8"),))
    pharmacy.enroll()
    pharmacy.dose("closed")
    found = look(pharmacy).forecast
    # 8 vials less the 2 opened; 2 and 2 for days 8 and 15, then 2 for cycle 2 day 1.
    assert dict(found.stock)[ONE] == 6
    fixed = [(need.dose.on, need.dose.mg) for need in found.expected.needs]
    assert fixed == [(date(2026, 3, 9), Decimal("0.91")), (date(2026, 3, 16), Decimal("0.91"))]
    assert found.whole.first_short is not None
    assert found.whole.first_short.dose.on == date(2026, 4, 5)


def test_reserved_vials_belong_to_their_dose_and_held_expired_and_quarantined_ones_are_no_stock(
    pharmacy: Pharmacy,
) -> None:
    pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2026-05-31", "4"), LotTyped("1", "OLD", "2026-03-02", "3")))
    pharmacy.receive("S-2", (LotTyped("1", "A2", "2026-05-31", "5"),))
    pharmacy.enroll()
    pharmacy.dose("planned")
    found = look(pharmacy)
    (first, *_) = found.forecast.whole.needs
    assert first.dose.reserved
    # OLD expires first, so the dose has two of it; today is its last day.
    assert dict(found.forecast.stock)[ONE] == 5
    assert found.not_counted.words() == "Not counted as stock: 5 held."
    pharmacy.clock.forward(days=1)
    found = look(pharmacy)
    assert dict(found.forecast.stock)[ONE] == 4
    assert found.not_counted.words() == ("Not counted as stock: 5 held, 3 expired. Return or transfer what expired.")


def test_the_newest_weight_counts(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll(weight="70")
    pharmacy.dose("closed")
    record_measurement(pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight="76"))
    # √(171 × 76 / 3600) = √3.61 = 1.9 m²; 0.5 mg/m² are 0.95 mg.
    assert look(pharmacy).forecast.whole.needs[0].dose.mg == Decimal("0.95")


def test_the_lead_time_is_signed_with_its_source_and_no_dose_depends_on_it(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2026-05-31", "4"),))
    pharmacy.enroll()
    dose_id = pharmacy.dose("planned")
    with pharmacy.desk.store.read() as reader:
        before = settings_of(reader)
        assert order_lead_time_of(reader) is None
    sign_lead_time(pharmacy, "14")
    with pharmacy.desk.store.read() as reader:
        assert settings_of(reader) == before
    found = look(pharmacy).forecast
    assert found.lead_time is not None
    assert (found.lead_time.days, found.lead_time.source) == (14, "Supply plan 1.0, p. 3")
    assert any("less the lead time of 14 days" in said.words for said in found.sentences)
    # A dose that was planned before goes on.
    pharmacy.verify(dose_id)
    pharmacy.assert_sound()


@pytest.mark.parametrize("days", ["0", "180"])
def test_a_lead_time_may_be_none_or_half_a_year(pharmacy: Pharmacy, days: str) -> None:
    sign_lead_time(pharmacy, days)
    assert look(pharmacy).forecast.lead_time is not None


@pytest.mark.parametrize(("days", "source"), [("-1", "x"), ("181", "x"), ("a week", "x"), ("14", ""), ("1.5", "x")])
def test_a_lead_time_that_cannot_be_is_refused_beside_its_field(pharmacy: Pharmacy, days: str, source: str) -> None:
    with pytest.raises(Refused) as refused:
        sign_lead_time(pharmacy, days, source)
    field = "order_lead_time.days" if source else "order_lead_time.source"
    assert [fault.field for fault in refused.value.faults] == [field]


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (ForecastForm("two", "1.8"), ["new_per_month"]),
        (ForecastForm("21", "1.8"), ["new_per_month"]),
        (ForecastForm("-1", "1.8"), ["new_per_month"]),
        (ForecastForm("2", ""), ["bsa_m2"]),
        (ForecastForm("2", "18"), ["bsa_m2"]),
        (ForecastForm("2", "0"), ["bsa_m2"]),
        (ForecastForm("x", "y"), ["new_per_month", "bsa_m2"]),
    ],
)
def test_an_assumption_that_cannot_be_is_refused_with_all_faults(
    pharmacy: Pharmacy, form: ForecastForm, fields: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        look(pharmacy, form)
    assert [fault.field for fault in refused.value.faults] == fields


@pytest.mark.parametrize(
    "form", [ForecastForm(), ForecastForm("0", ""), ForecastForm("", "1.8"), ForecastForm("0", "1.8")]
)
def test_no_new_subject_is_no_assumption(pharmacy: Pharmacy, form: ForecastForm) -> None:
    assert look(pharmacy, form).forecast.new_subjects is None


def test_an_assumption_is_counted_and_stored_nowhere(pharmacy: Pharmacy) -> None:
    before = pharmacy.count()
    found = look(pharmacy, ForecastForm("1", "1.8")).forecast
    # One after 30 days, one after 60: 1 April and 1 May.
    assert [need.dose.on for need in found.whole.needs if (need.dose.cycle, need.dose.day) == (1, 1)] == [
        date(2026, 4, 1),
        date(2026, 5, 1),
    ]
    assert pharmacy.count() == before


def test_everyone_may_print_it_and_the_paper_is_kept(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    printed = print_forecast(pharmacy.desk, pharmacy.act("mona"), ForecastForm())
    assert printed.event.kind == "record_printed"
    (line,) = printed.event.content["papers"]
    assert (line["paper"], line["about"]) == ("supply forecast", "from 2026-03-02")
    with pharmacy.desk.store.read() as reader:
        assert reader.paper(printed.sha256) == printed.pdf
    pharmacy.assert_sound()
