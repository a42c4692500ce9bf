"""Two people at once, each with a program of their own on the same file: no vial is given out twice."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.desk import Act
from pharmacy_app.services.preparation import ReserveForm, reserve
from pharmacy_app.services.stock import LotTyped, QuarantineForm, quarantine, receive
from tests.conftest import Template
from tests.services.pharmacy import Pharmacy, desk_at


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run the jobs in threads that start together; what a job raised stands in place of its answer."""
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        gate.wait(timeout=10)
        try:
            return job()
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.fixture
def two(template: Template, tmp_path: Path) -> Iterator[tuple[Pharmacy, Pharmacy]]:
    """The same file opened twice."""
    one = template.copy_to(tmp_path / "study.sqlite")
    other = Pharmacy(desk_at(one.path, one.clock), one.clock, one.path, sessions=dict(one.sessions))
    yield one, other
    for pharmacy in (one, other):
        pharmacy.desk.store.close()


def refusals(answers: list[object]) -> list[Refused]:
    return [answer for answer in answers if isinstance(answer, Refused)]


@pytest.mark.parametrize("round_", range(6))
def test_two_doses_want_the_same_vials_and_one_gets_them(two: tuple[Pharmacy, Pharmacy], round_: int) -> None:
    one, other = two
    units = tuple(one.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "2"),)))
    one.enroll("001")
    one.enroll("002")
    first, second = one.dose("decided", "001"), one.dose("decided", "002")
    answers = at_once(
        lambda: one.reserve(first, units, "paula"),
        lambda: other.reserve(second, units, "quentin"),
    )
    (loser,) = refusals(answers)
    assert "is reserved for dose" in loser.faults[0].sentence
    winner = first if answers[1] is loser else second
    assert {vial.dose_id for vial in one.vials()} == {winner}
    assert {vial.state for vial in one.vials()} == {"reserved"}
    assert len(one.events("vials_reserved")) == 1
    one.assert_sound()


def test_one_dose_is_planned_once_though_two_plan_it(two: tuple[Pharmacy, Pharmacy]) -> None:
    one, other = two
    units = one.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "4"),))
    one.enroll()
    dose_id = one.dose("decided")
    answers = at_once(
        lambda: one.reserve(dose_id, tuple(units[:2]), "paula"),
        lambda: other.reserve(dose_id, tuple(units[2:]), "quentin"),
    )
    (loser,) = refusals(answers)
    assert "must be decided" in loser.faults[0].sentence
    assert len(one.vials(state="reserved")) == 2
    one.assert_sound()


def test_twelve_vials_cannot_be_taken_out_of_ten(two: tuple[Pharmacy, Pharmacy]) -> None:
    """Six doses of two vials each want out of a shelf of ten; each asks for its plan and reserves it at once."""
    one, _ = two
    one.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "10"),))
    doses = []
    for number in range(1, 7):
        one.enroll(f"{number:03d}")
        doses.append(one.dose("decided", f"{number:03d}"))

    def take(pharmacy: Pharmacy, dose_id: str) -> str:
        for _ in range(20):
            with pharmacy.desk.store.read() as reader:
                from pharmacy_app.services.preparation import proposals

                best = proposals(pharmacy.desk, reader, dose_id).best
            if best is None:
                return "no vials left"
            units = tuple(draw.unit_number for draw in best.draws)
            try:
                pharmacy.reserve(dose_id, units)
            except Refused:
                continue  # somebody was quicker: look at the shelf again
            return "reserved"
        return "never got through"

    answers = at_once(*(lambda p=two[n % 2], d=dose_id: take(p, d) for n, dose_id in enumerate(doses)))
    assert sorted(map(str, answers)) == ["no vials left"] + ["reserved"] * 5
    assert len(one.vials(state="reserved")) == 10
    for dose_id in doses:
        assert len(one.thread(dose_id).vials) in (0, 2)
    one.assert_sound()


@pytest.mark.parametrize("round_", range(4))
def test_a_double_click_is_one_event(two: tuple[Pharmacy, Pharmacy], round_: int) -> None:
    one, other = two
    units = tuple(one.stock_up())
    one.enroll()
    dose_id = one.dose("decided")
    before = one.count()
    act = one.act("paula")
    form = ReserveForm(dose_id, units[:2], units[:2])
    clicks = [lambda p=p: reserve(p.desk, act, form, p.sign("paula")) for p in (one, other, one, other)]
    answers = at_once(*clicks)
    assert refusals(answers) == []
    assert len({answer.body() for answer in answers}) == 1  # type: ignore[attr-defined]
    assert one.count() == before + 1
    one.assert_sound()


def test_a_shipment_typed_by_two_people_is_received_once(two: tuple[Pharmacy, Pharmacy]) -> None:
    one, other = two
    before = one.count()
    answers = at_once(lambda: one.receive("S-1"), lambda: other.receive("S-1"))
    (loser,) = refusals(answers)
    assert "received already" in loser.faults[0].sentence
    assert one.count() == before + 1
    assert len(one.vials()) == 10


def test_many_shipments_at_once_get_numbers_of_their_own(two: tuple[Pharmacy, Pharmacy]) -> None:
    jobs = [lambda p=two[n % 2], n=n: p.receive(f"S-{n}", (LotTyped("1", "A1", "2027-03-31", "3"),)) for n in range(8)]
    answers = at_once(*jobs)
    assert refusals(answers) == []
    units = [unit for answer in answers for unit in answer]  # type: ignore[attr-defined]
    assert len(units) == len(set(units)) == 24
    two[0].assert_sound()


def test_quarantine_wins_over_a_dose_whoever_is_first(two: tuple[Pharmacy, Pharmacy]) -> None:
    one, other = two
    units = tuple(one.stock_up("S-1", (LotTyped("1", "A1", "2027-03-31", "2"),)))
    one.enroll()
    dose_id = one.dose("decided")
    answers = at_once(
        lambda: one.reserve(dose_id, units),
        lambda: quarantine(other.desk, other.act("tim"), QuarantineForm(units, "fridge at 12 °C")),
    )
    # Reserved first: the quarantine takes the vials out of the dose. Quarantined first: the dose gets none.
    assert len(refusals(answers)) <= 1
    assert {vial.state for vial in one.vials()} == {"quarantined"}
    one.assert_sound()


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


def test_wrong_passwords_at_once_are_all_counted(two: tuple[Pharmacy, Pharmacy]) -> None:
    """Four tries from two PCs at the same moment leave one try, not four."""
    from pharmacy_app.services.accounts import sign_in
    from pharmacy_app.services.desk import Credentials

    one, _ = two
    jobs = [lambda p=two[n % 2]: sign_in(p.desk, Credentials("paula", "wrong"), "PC") for n in range(4)]
    assert len(refusals(at_once(*jobs))) == 4
    with one.desk.store.read() as reader:
        account = reader.account_by_user_name("paula")
        assert account is not None
        assert reader.failed_attempts(account.account_id) == 4
    one.assert_sound()
