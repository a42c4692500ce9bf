"""The forms of returns, transfers and destructions: printed from what was signed, as often as they are needed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.disposition import break_vials
from pharmacy_app.services.disposition_forms import REASONS, form_number, print_form
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.papers import Accounted, Approval
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.pharmacy import PEOPLE, Pharmacy, StubPapers
from tests.services.test_disposition import CONTAINERS, Site, units_of, used


class Noted(StubPapers):
    """Papers that remember what they were asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def destruction_record(self, record: Any) -> bytes:
        self.asked.append(record)
        return super().destruction_record(record)

    def return_record(self, record: Any) -> bytes:
        self.asked.append(record)
        return super().return_record(record)

    def transfer_record(self, record: Any) -> bytes:
        self.asked.append(record)
        return super().transfer_record(record)


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def site(pharmacy: Pharmacy, noted: Noted) -> Site:
    """Three 1 mg vials of lot A1 with kit numbers, and papers that remember."""
    pharmacy.desk = replace(pharmacy.desk, papers=noted)
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "3", ("K001", "K002", "K003")),))
    return Site(pharmacy)


def returned(site: Site) -> str:
    """Send two vials back, one of them from quarantine; the number of the form."""
    first, second, _ = units_of(site)
    pharmacy = site.pharmacy
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((second,), "9 °C overnight"))
    event = site.send_back(site.return_form((first, second), site.document(), note="end of the cohort"))
    return form_number("return", event.seq)


def test_the_number_is_the_events_own() -> None:
    assert [form_number(move, 42) for move in ("return", "transfer", "destroy")] == ["RET-42", "TRF-42", "DST-42"]
    with pytest.raises(KeyError):
        form_number("release", 42)


def test_the_return_form_prints_what_was_signed(site: Site, noted: Noted) -> None:
    number = returned(site)
    first, second, _ = units_of(site)
    printed = print_form(site.pharmacy.desk, site.pharmacy.act("tim"), number)
    assert printed.event.kind == "record_printed"
    assert printed.event.content["papers"] == [
        {"paper": "disposition form", "about": number, "copy_number": 1, "pages": 1}
    ]
    assert printed.sha256 == sha256(printed.pdf).hexdigest()
    (record,) = noted.asked
    assert record.record_number == number
    assert (record.depot, record.reason, record.note) == ("Pfizer depot, Memphis", "unused", "end of the cohort")
    assert (record.packed_by, record.monitors) == ("Paula Reyes", ("Mona Sorensen",))
    assert (record.carriage.packages, record.carriage.seal, record.carriage.logger_serial) == (1, "SEAL-9", "TL-88")
    assert record.approval == Approval(
        f"{record.approval.reference.split()[0]} Letter of today", "Dr. A. Ito, Pfizer", date(2026, 3, 2)
    )
    assert [(each.unit_number, each.kit_number, each.condition, each.status_before) for each in record.vials] == [
        (first, "K001", "", "available"),
        (second, "K002", "9 °C overnight", "quarantined"),
    ]
    assert [(each.meaning, each.printed_name, each.role) for each in record.signatures] == [
        ("packed and sent", "Paula Reyes", "pharmacist")
    ]
    # 2 March 2026, 08:00 in Chicago.
    assert record.shipped_at.isoformat() == "2026-03-02T08:00:00-06:00"
    site.assert_balanced(3)


def test_the_transfer_form_prints_what_was_signed(site: Site, noted: Noted) -> None:
    site.pharmacy.stock_up("S-2", (LotTyped("4", "B7", "2027-06", "2"),))
    first, second, _, four, other = units_of(site)
    event = site.transfer(site.transfer_form((other, second, first, four), site.document()))
    print_form(site.pharmacy.desk, site.pharmacy.act("mona"), form_number("transfer", event.seq))
    (record,) = noted.asked
    assert (record.to_site, record.sent_by) == ("Lakeside Hospital (021)", "Paula Reyes")
    assert record.places == ("Refrigerator 1",)
    assert [(lot.strength_mg, lot.lot, lot.expires_on, lot.kits, lot.vials) for lot in record.lots] == [
        (Decimal(1), "A1", date(2027, 3, 31), f"{first} – {second}; kits K001, K002", 2),
        (Decimal(4), "B7", date(2027, 6, 30), f"{four} – {other}", 2),
    ]


def test_the_destruction_form_prints_what_was_signed(site: Site, noted: Noted) -> None:
    pharmacy = site.pharmacy
    empty, partial = used(site)
    (third,) = units_of(site, "available")
    dose_id = pharmacy.vial(empty).dose_id
    site.lose(break_vials, (third,))
    site.account((empty, partial))
    pharmacy.clock.forward(days=1)
    site.account((third,))
    form = site.destroy_form((empty, partial, third), site.document(), certificate="C-1 of 3-Mar-2026")
    number = form_number("destroy", site.destroy(form).seq)
    print_form(pharmacy.desk, pharmacy.act("paula"), number)
    (record,) = noted.asked
    assert record.record_number == number
    assert (record.method, record.container) == ("high-temperature incineration", "yellow bin 12, manifest M-3")
    assert (record.certificate, record.note) == ("C-1 of 3-Mar-2026", "")
    assert (record.destroyed_by, record.witnessed_by) == ("Tim Lindqvist", "Carla Okafor")
    assert record.accounted == (
        Accounted("Mona Sorensen", date(2026, 3, 2)),
        Accounted("Mona Sorensen", date(2026, 3, 3)),
    )
    # RECEIVE, RELEASE, DISPENSE: the third line of the 1 mg record. 0.1 and 0.44 mg were closed as residue.
    dispensed = f"001, {dose_id}, line 3"
    assert [(each.unit_number, each.state, each.dispensed, each.residual_mg, each.reason) for each in record.vials] == [
        (empty, "empty", dispensed, Decimal("0.1"), "used"),
        (partial, "partial", dispensed, Decimal("0.44"), "partial remainder"),
        (third, "broken", "", None, "damaged"),
    ]
    site.assert_balanced(3)


def test_the_accountability_of_other_containers_is_not_on_the_form(site: Site, noted: Noted) -> None:
    first, second, _ = units_of(site)
    site.lose(break_vials, (first, second))
    site.account((first,))
    site.pharmacy.clock.forward(days=1)
    site.account((second,))
    event = site.destroy(site.destroy_form((first,), site.document()))
    print_form(site.pharmacy.desk, site.pharmacy.act("paula"), form_number("destroy", event.seq))
    assert noted.asked[0].accounted == (Accounted("Mona Sorensen", date(2026, 3, 2)),)


def test_every_container_that_may_be_destroyed_has_its_reason() -> None:
    assert set(REASONS) == set(CONTAINERS)


@pytest.mark.parametrize("who", PEOPLE)
def test_everyone_may_print_a_form(site: Site, who: str) -> None:
    number = returned(site)
    print_form(site.pharmacy.desk, site.pharmacy.act(who), f" {number.lower()} ")
    assert site.pharmacy.events()[-1].content["papers"][0]["about"] == number


def test_a_second_print_is_the_second_copy_and_a_double_click_is_one(site: Site, noted: Noted) -> None:
    number = returned(site)
    act = site.pharmacy.act("paula")
    first = print_form(site.pharmacy.desk, act, number)
    count = site.pharmacy.count()
    assert print_form(site.pharmacy.desk, act, number).sha256 == first.sha256
    assert site.pharmacy.count() == count
    print_form(site.pharmacy.desk, site.pharmacy.act("paula"), number)
    assert [record.copy_number for record in noted.asked] == [1, 2]


@pytest.mark.parametrize(
    "typed", ["", "RET-", "RET-0", "RET-1", "RET-999", "return 3", "DST-{seq}", "TRF-{seq}", "{seq}"]
)
def test_a_number_that_no_form_has(site: Site, typed: str) -> None:
    seq = returned(site).partition("-")[2]
    before = site.pharmacy.count()
    with pytest.raises(Refused, match="There is no form") as refused:
        print_form(site.pharmacy.desk, site.pharmacy.act("paula"), typed.format(seq=seq))
    assert [fault.field for fault in refused.value.faults] == ["number"]
    assert site.pharmacy.count() == before


def test_all_three_stand_in_ink(site: Site) -> None:
    pharmacy = site.pharmacy
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    first, second, third = units_of(site)
    permission = site.document()
    site.lose(break_vials, (third,))
    site.account((third,))
    numbers = [
        form_number("return", site.send_back(site.return_form((first,), permission)).seq),
        form_number("transfer", site.transfer(site.transfer_form((second,), permission)).seq),
        form_number("destroy", site.destroy(site.destroy_form((third,), permission)).seq),
    ]
    for number, unit in zip(numbers, (first, second, third), strict=True):
        words = " ".join(proof.page_texts(print_form(pharmacy.desk, pharmacy.act("paula"), number).pdf))
        assert number in words
        assert unit in words
        assert "Dr. A. Ito, Pfizer, 02-Mar-2026" in words


# --- what was taken back ---------------------------------------------------------------------------------------


def undo(site: Site, seq: int, who: str = "paula", second: str = "quentin") -> None:
    """Take an entry back."""
    pharmacy = site.pharmacy
    form = CorrectForm(seq, "it was the other box")
    correct(pharmacy.desk, pharmacy.act(who), form, pharmacy.sign(who), pharmacy.sign(second))


def forms_of_each(site: Site) -> dict[str, int]:
    """A return, a transfer and a destruction: their forms and entries."""
    first, second, third = units_of(site)
    permission = site.document()
    site.lose(break_vials, (third,))
    site.account((third,))
    return {
        form_number(move, seq): seq
        for move, seq in (
            ("return", site.send_back(site.return_form((first,), permission)).seq),
            ("transfer", site.transfer(site.transfer_form((second,), permission)).seq),
            ("destroy", site.destroy(site.destroy_form((third,), permission)).seq),
        )
    }


def test_the_form_of_an_act_that_was_taken_back_says_so(site: Site, noted: Noted) -> None:
    """The box was never sent: its form must not be taken for a return that was made."""
    pharmacy = site.pharmacy
    for number, seq in forms_of_each(site).items():
        print_form(pharmacy.desk, pharmacy.act("paula"), number)
        assert noted.asked[-1].taken_back == ""
        undo(site, seq)
        print_form(pharmacy.desk, pharmacy.act("paula"), number)
        assert noted.asked[-1].taken_back == (
            f"by entry {pharmacy.events('move_undone')[-1].seq}, Paula Reyes, Quentin Marsh, 02-Mar-2026 08:00:"
            " it was the other box"
        )


def test_taken_back_stands_in_ink_on_the_form(site: Site) -> None:
    pharmacy = site.pharmacy
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    for number, seq in forms_of_each(site).items():
        clean = " ".join(proof.page_texts(print_form(pharmacy.desk, pharmacy.act("paula"), number).pdf))
        assert "TAKEN BACK" not in clean
        undo(site, seq)
        (page,) = proof.page_texts(print_form(pharmacy.desk, pharmacy.act("paula"), number).pdf)
        assert f"TAKEN BACK · REPRINT 1 · {number}" in page
        entry = pharmacy.events("move_undone")[-1].seq
        assert f"TAKEN BACK by entry {entry}, Paula Reyes, Quentin Marsh, 02-Mar-2026 08:00: it was the other" in page


def test_an_accountability_that_was_taken_back_is_not_on_the_form(site: Site, noted: Noted) -> None:
    """Mona accounted for the wrong box on Monday and took it back; on Tuesday she accounted for the right one."""
    pharmacy = site.pharmacy
    (unit, *_) = units_of(site)
    site.lose(break_vials, (unit,))
    wrong = site.account((unit,))
    form = CorrectForm(wrong.seq, "it was the other box")
    correct(pharmacy.desk, pharmacy.act("mona"), form, pharmacy.sign("mona"))
    pharmacy.clock.forward(days=1)
    site.account((unit,))
    number = form_number("destroy", site.destroy(site.destroy_form((unit,), site.document())).seq)
    print_form(pharmacy.desk, pharmacy.act("paula"), number)
    assert noted.asked[-1].accounted == (Accounted("Mona Sorensen", date(2026, 3, 3)),)


def test_what_was_taken_back_of_another_container_stays_on_the_form_of_what_was_destroyed(
    site: Site, noted: Noted
) -> None:
    """One of two containers was destroyed on Monday; on Tuesday Mona takes hers of the other one back."""
    pharmacy = site.pharmacy
    first, second, _ = units_of(site)
    site.lose(break_vials, (first, second))
    both = site.account((first, second))
    gone = site.destroy(site.destroy_form((first,), site.document()))
    pharmacy.clock.forward(days=1)
    correct(pharmacy.desk, pharmacy.act("mona"), CorrectForm(both.seq, "another vial"), pharmacy.sign("mona"))
    print_form(pharmacy.desk, pharmacy.act("paula"), form_number("destroy", gone.seq))
    assert noted.asked[-1].accounted == (Accounted("Mona Sorensen", date(2026, 3, 2)),)
    site.account((second,))
    later = site.destroy(site.destroy_form((second,), site.document()))
    print_form(pharmacy.desk, pharmacy.act("paula"), form_number("destroy", later.seq))
    assert noted.asked[-1].accounted == (Accounted("Mona Sorensen", date(2026, 3, 3)),)


def test_an_accountability_after_the_destruction_is_not_on_the_form(site: Site, noted: Noted) -> None:
    """Destroyed by mistake on Monday; that and its accountability are taken back, and done anew on Tuesday."""
    pharmacy = site.pharmacy
    (unit, *_) = units_of(site)
    site.lose(break_vials, (unit,))
    accounted = site.account((unit,))
    first = site.destroy(site.destroy_form((unit,), site.document()))
    undo(site, first.seq, "tim", "carla")
    correct(pharmacy.desk, pharmacy.act("mona"), CorrectForm(accounted.seq, "not looked at"), pharmacy.sign("mona"))
    pharmacy.clock.forward(days=1)
    site.account((unit,))
    second = site.destroy(site.destroy_form((unit,), site.document()))
    for seq, on in ((first.seq, ()), (second.seq, (Accounted("Mona Sorensen", date(2026, 3, 3)),))):
        print_form(pharmacy.desk, pharmacy.act("paula"), form_number("destroy", seq))
        assert noted.asked[-1].accounted == on
