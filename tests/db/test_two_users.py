"""Two workstations at once, each a process of its own on the same database: no vial is given out twice."""

from collections.abc import Callable, Iterator

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.counts import CountForm
from pharmacy_app.services.desk import Act
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.preparation import ReserveForm
from pharmacy_app.services.stock import QuarantineForm, quarantine, receive
from tests.databases import url_at
from tests.db import workstation
from tests.db.workstation import Job, Study, Turned, Workstations
from tests.services.pharmacy import Pharmacy


@pytest.fixture(scope="module")
def workstations() -> Iterator[Workstations]:
    """Two workstations that are switched on already."""
    two = Workstations(2)
    yield two
    two.close()


AtOnce = Callable[..., list[object]]


@pytest.fixture
def at_once(workstations: Workstations, pharmacy: Pharmacy) -> AtOnce:
    """Jobs that the two workstations begin together on the pharmacy's database."""

    def together(*jobs: Job) -> list[object]:
        study = Study(url_at(pharmacy.path), pharmacy.sessions, pharmacy.clock())
        return workstations.at_once(study, *jobs)

    return together


def turned(answers: list[object]) -> list[Turned]:
    return [answer for answer in answers if isinstance(answer, Turned)]


@pytest.mark.parametrize("round_", range(6))
def test_two_doses_want_the_same_vials_and_one_gets_them(pharmacy: Pharmacy, at_once: AtOnce, round_: int) -> None:
    units = tuple(pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "2"),)))
    pharmacy.enroll("001")
    pharmacy.enroll("002")
    first, second = pharmacy.dose("decided", "001"), pharmacy.dose("decided", "002")
    pharmacy.act("quentin")
    answers = at_once(
        (workstation.reserves, (first, units, "paula")),
        (workstation.reserves, (second, units, "quentin")),
    )
    (loser,) = turned(answers)
    assert "is reserved for dose" in loser.sentence
    winner = first if answers[1] is loser else second
    assert {vial.dose_id for vial in pharmacy.vials()} == {winner}
    assert {vial.state for vial in pharmacy.vials()} == {"reserved"}
    assert len(pharmacy.events("vials_reserved")) == 1
    pharmacy.assert_sound()


def test_one_dose_is_planned_once_though_two_plan_it(pharmacy: Pharmacy, at_once: AtOnce) -> None:
    units = pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "4"),))
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    answers = at_once(
        (workstation.reserves, (dose_id, tuple(units[:2]), "paula")),
        (workstation.reserves, (dose_id, tuple(units[2:]), "quentin")),
    )
    (loser,) = turned(answers)
    assert "must be decided" in loser.sentence
    assert len(pharmacy.vials(state="reserved")) == 2
    pharmacy.assert_sound()


def test_twelve_vials_cannot_be_taken_out_of_ten(pharmacy: Pharmacy, at_once: AtOnce) -> None:
    """Six doses of two vials each want out of a shelf of ten; each asks for its plan and reserves it at once."""
    pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "10"),))
    doses = []
    for number in range(1, 7):
        pharmacy.enroll(f"{number:03d}")
        doses.append(pharmacy.dose("decided", f"{number:03d}"))
    answers = at_once(*((workstation.takes_all, (tuple(half),)) for half in (doses[:3], doses[3:])))
    said = [word for answer in answers for word in answer]  # type: ignore[attr-defined]
    assert sorted(said) == ["no vials left"] + ["reserved"] * 5
    assert len(pharmacy.vials(state="reserved")) == 10
    for dose_id in doses:
        assert len(pharmacy.thread(dose_id).vials) in (0, 2)
    pharmacy.assert_sound()


@pytest.mark.parametrize("round_", range(4))
def test_the_same_act_from_two_workstations_is_one_event(pharmacy: Pharmacy, at_once: AtOnce, round_: int) -> None:
    units = tuple(pharmacy.stock_up())
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    before = pharmacy.count()
    act = pharmacy.act("paula")
    form = ReserveForm(dose_id, units[:2], units[:2])
    first, second = at_once(*[(workstation.reserves_as, (act, form))] * 2)
    assert isinstance(first, bytes)
    assert first == second
    assert pharmacy.count() == before + 1
    pharmacy.assert_sound()


def test_a_shipment_typed_by_two_people_is_received_once(pharmacy: Pharmacy, at_once: AtOnce) -> None:
    before = pharmacy.count()
    answers = at_once(*[(workstation.receives, (("S-1",),))] * 2)
    (loser,) = turned(answers)
    assert "received already" in loser.sentence
    assert not loser.unavailable
    assert pharmacy.count() == before + 1
    assert len(pharmacy.vials()) == 10


def test_no_shipment_of_many_at_once_is_lost_and_no_number_is_given_twice(pharmacy: Pharmacy, at_once: AtOnce) -> None:
    before = pharmacy.count()
    numbers = [tuple(f"S-{who}-{n}" for n in range(10)) for who in (1, 2)]
    answers = at_once(*((workstation.receives, (each, "3")) for each in numbers))
    assert turned(answers) == []
    units = [unit for answer in answers for unit in answer]  # type: ignore[attr-defined]
    assert len(units) == len(set(units)) == 60
    assert {vial.unit_number for vial in pharmacy.vials()} == set(units)
    assert pharmacy.count() == before + 20
    with pharmacy.desk.store.read() as reader:
        assert {line.number for line in reader.shipments()} == {number for each in numbers for number in each}
    pharmacy.assert_sound()


@pytest.mark.parametrize("round_", range(3))
def test_quarantine_wins_over_a_dose_whoever_is_first(pharmacy: Pharmacy, at_once: AtOnce, round_: int) -> None:
    units = tuple(pharmacy.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "2"),)))
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    answers = at_once(
        (workstation.reserves, (dose_id, units)),
        (workstation.quarantines, (units, "fridge at 12 °C")),
    )
    # Reserved first: the quarantine takes the vials out of the dose. Quarantined first: the dose gets none.
    assert len(turned(answers)) <= 1
    assert {vial.state for vial in pharmacy.vials()} == {"quarantined"}
    pharmacy.assert_sound()


def test_the_same_act_number_for_two_different_acts_is_refused(pharmacy: Pharmacy) -> None:
    act = pharmacy.act("tim")
    receive(pharmacy.desk, act, pharmacy.shipment("S-1"))
    before = pharmacy.count()
    others: tuple[Callable[[], object], ...] = (
        lambda: receive(pharmacy.desk, act, pharmacy.shipment("S-2")),
        lambda: quarantine(pharmacy.desk, act, QuarantineForm((pharmacy.vials()[0].unit_number,), "warm")),
        lambda: receive(pharmacy.desk, Act(pharmacy.sessions["paula"], act.act_id), pharmacy.shipment("S-1")),
    )
    for other in others:
        with pytest.raises(Refused, match="recorded already, with other content"):
            other()
    assert pharmacy.count() == before


def test_wrong_passwords_at_once_are_all_counted(pharmacy: Pharmacy, at_once: AtOnce) -> None:
    """Four tries from two PCs at the same moment are four tries, not two."""
    answers = at_once(*[(workstation.mistypes, (2,))] * 2)
    assert [len(answer) for answer in answers] == [2, 2]  # type: ignore[arg-type]
    with pharmacy.desk.store.read() as reader:
        account = reader.account_by_user_name("paula")
        assert account is not None
        assert reader.failed_attempts(account.account_id) == 4
    pharmacy.assert_sound()


@pytest.mark.parametrize("round_", range(4))
def test_two_people_count_one_shelf_at_once_and_both_counts_are_kept(
    pharmacy: Pharmacy, at_once: AtOnce, round_: int
) -> None:
    units = tuple(pharmacy.stock_up())
    begun = pharmacy.count()
    answers = at_once(
        (workstation.counts, (CountForm("Refrigerator 1", begun, codes=units[1:]), "tim", "carla")),
        (workstation.counts, (CountForm("Refrigerator 1", begun, codes=units[:-1]), "paula", "quentin")),
    )
    assert set(answers) == {numbered("N", 1), numbered("N", 2)}
    with pharmacy.desk.store.read() as reader:
        assert {line.number for line in reader.discrepancies()} == {numbered("Q", 1), numbered("Q", 2)}
    pharmacy.assert_sound()


@pytest.mark.parametrize("round_", range(6))
def test_a_vial_that_breaks_while_the_count_is_handed_in_is_counted_or_named(
    pharmacy: Pharmacy, at_once: AtOnce, round_: int
) -> None:
    """The count is of before or of after, never of both: then it agrees, or it is looked at again."""
    units = tuple(pharmacy.stock_up())
    counted, broken = at_once(
        (workstation.counts, (CountForm("Refrigerator 1", pharmacy.count(), codes=units), "paula", "quentin")),
        (workstation.breaks, (units[0],)),
    )
    assert not isinstance(broken, Turned)
    if isinstance(counted, Turned):
        assert f"{units[0]} (1 mg, lot A1): “break”" in counted.sentence
        assert pharmacy.events("count_recorded") == []
    else:
        (event,) = pharmacy.events("count_recorded")
        assert event.content["discrepancy"] == ""
    assert pharmacy.vial(units[0]).state == "broken"
    pharmacy.assert_sound()
