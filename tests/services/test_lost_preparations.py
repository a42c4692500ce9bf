"""What goes wrong at the hood and after it: a preparation that came to nothing, a weight that came too late."""

from decimal import Decimal
from pathlib import Path

import pytest

from labels.papers import PdfPapers
from labels.proof import page_texts
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.administration import ClosedTyped, CloseForm, close_vials
from pharmacy_app.services.doses import CancelForm, DecideForm, cancel, order, record_decision
from pharmacy_app.services.printing import print_medication_error
from pharmacy_app.services.subjects import MeasurementForm, SubjectForm, enroll, record_measurement
from tests.services.pharmacy import Pharmacy, desk_at


def units_of(pharmacy: Pharmacy, dose_id: str) -> tuple[str, ...]:
    """The dose's vials."""
    return tuple(vial.unit_number for vial in pharmacy.thread(dose_id).vials)


def test_a_dilution_that_came_too_late_keeps_its_opened_vials(pharmacy: Pharmacy) -> None:
    """Four hours are signed from reconstitution to dilution. Diluted after five, the drug is lost, not its vials."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    mixed = pharmacy.time()
    pharmacy.clock.forward(minutes=300)
    with pytest.raises(Refused, match="came too late"):
        pharmacy.prepare(dose_id, reconstituted_at=mixed, diluted_at=pharmacy.time())
    cancel(
        pharmacy.desk,
        pharmacy.act("paula"),
        CancelForm(
            dose_id, "diluted after five hours", tuple(vial.unit_number for vial in pharmacy.thread(dose_id).vials)
        ),
    )
    thread = pharmacy.thread(dose_id)
    assert [vial.state for vial in thread.vials] == ["opened", "opened"]
    assert [line.withdrawn_mg for line in thread.mg] == [Decimal(0), Decimal(0)]
    # 0 withdrawn + 0.1 that cannot be drawn + 0.9 discarded = the 1 mg of each vial.
    rows = tuple(ClosedTyped(line.unit_number, "0.1", "0.9") for line in thread.mg)
    close_vials(pharmacy.desk, pharmacy.act("tim"), CloseForm(dose_id, rows))
    assert [vial.state for vial in pharmacy.thread(dose_id).vials] == ["empty", "empty"]
    pharmacy.assert_sound()


def test_vials_of_a_dose_that_was_not_checked_are_not_opened(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("planned")
    with pytest.raises(Refused, match="opened after the second check"):
        cancel(
            pharmacy.desk,
            pharmacy.act("paula"),
            CancelForm(dose_id, "ill", units_of(pharmacy, dose_id)[:1]),
        )
    cancel(pharmacy.desk, pharmacy.act("paula"), CancelForm(dose_id, "ill"))
    assert {vial.state for vial in pharmacy.vials()} == {"available"}


def test_a_weight_that_comes_after_the_check_stops_the_mixing(pharmacy: Pharmacy) -> None:
    """70 kg at the check; 78 kg on the ward's scale before mixing: the dose is decided anew."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    record_measurement(
        pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight="78", confirm="weighed twice")
    )
    with pytest.raises(Refused, match="current weight"):
        pharmacy.prepare(dose_id)
    assert {vial.state for vial in pharmacy.thread(dose_id).vials} == {"reserved"}


def test_who_checked_does_not_mix(pharmacy: Pharmacy) -> None:
    """Quentin, a pharmacist too, checks what Paula planned; the label needs two different names."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    from pharmacy_app.services.preparation import PrepareForm, prepare

    thread = pharmacy.thread(dose_id)
    form = PrepareForm(dose_id, pharmacy.time(), pharmacy.time(), ())
    checker = next(user for user in ("carla", "quentin") if pharmacy.sessions[user].printed_name == thread.verified_by)
    with pytest.raises(Refused):
        prepare(pharmacy.desk, pharmacy.act(checker), form)
    assert pharmacy.thread(dose_id).line.status == "verified"


def test_the_medication_error_prints_with_both_doses(pharmacy: Pharmacy, tmp_path: Path) -> None:
    """1.3 of 1.46 mg given: (1.3 − 1.46) ÷ 1.46 = −10.958… %: ten per cent or more."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    event = pharmacy.give(dose_id, "1.3")
    error_id = event.content["medication_error"]["error_id"]
    desk = desk_at(pharmacy.path, pharmacy.clock, papers=PdfPapers())
    printed = print_medication_error(desk, pharmacy.act("mona"), error_id)
    words = " ".join(page_texts(printed.pdf))
    for expected in (error_id, dose_id, "1.46 mg", "1.3 mg", "−10.9"):
        assert expected in words
    desk.store.close()
    pharmacy.assert_sound()


def test_a_weight_in_pounds_can_be_checked_by_who_converts_it_to_two_places(pharmacy: Pharmacy) -> None:
    """121 lb × 0.45359237 = 54.88467677 kg, 67 in × 2.54 = 170.18 cm exactly.

    Mosteller: √(170.18 × 54.88467677 ÷ 3600) = √2.594535… = 1.610756… m²; × 0.8 = 1.288604… → 1.29 mg, 5.16 mL.
    """
    pharmacy.stock_up()
    enroll(pharmacy.desk, pharmacy.act("paula"), SubjectForm("002", "1980"))
    record_measurement(
        pharmacy.desk,
        pharmacy.act("tim"),
        MeasurementForm("002", pharmacy.day(), height="67", height_unit="in", weight="121", weight_unit="lb"),
    )
    pharmacy.eligible("002")
    order_id = order(pharmacy.desk, pharmacy.act("paula"), pharmacy.order_form("002", "1.29")).content["dose_id"]
    record_decision(pharmacy.desk, pharmacy.act("paula"), DecideForm(order_id))
    pharmacy.reserve(order_id, pharmacy.best(order_id))
    mine = {"height_cm": "170.18", "dose_mg": "1.29", "drawn_ml": "5.16"}
    assert pharmacy.verify(order_id, **mine, weight_kg="54.9").content["disagreed"] == ["weight_kg"]
    assert pharmacy.verify(order_id, **mine, weight_kg="54.88").content["agreed"] is True


def test_the_amounts_prepared_are_those_of_each_doses_thread(pharmacy: Pharmacy) -> None:
    """1.46 mg from two vials; a dose that is ordered and no further has no amount."""
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.enroll("002")
    prepared, ordered = pharmacy.dose("prepared"), pharmacy.dose("ordered", "002")
    with pharmacy.desk.store.read() as reader:
        amounts = reader.prepared_amounts()
        listed = {line.dose_id: line for line in reader.doses()}
    assert amounts == {prepared: Decimal("1.46")}
    assert pharmacy.thread(prepared).prepared_mg == Decimal("1.46")
    assert listed.keys() == {prepared, ordered}
    assert listed[prepared] == pharmacy.thread(prepared).line
