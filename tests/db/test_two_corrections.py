"""Two workstations correct at once, or one corrects what the other is using: one is first, the other reads why not."""

from collections.abc import Callable, Iterator

import pytest

from pharmacy_app.services.corrections import CorrectForm, correct
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


@pytest.fixture
def at_once(workstations: Workstations, pharmacy: Pharmacy) -> Callable[..., list[object]]:
    """Jobs that the two workstations begin together on the pharmacy's database."""

    def together(*jobs: Job) -> list[object]:
        study = Study(url_at(pharmacy.path), pharmacy.sessions, pharmacy.clock())
        return workstations.at_once(study, *jobs)

    return together


def corrects(pharmacy: Pharmacy, form: CorrectForm, who: str, second: str = "") -> str:
    """Correct an entry; runs at a workstation."""
    witness = pharmacy.sign(second) if second else None
    return correct(pharmacy.desk, pharmacy.act(who), form, pharmacy.sign(who), witness).act_id


@pytest.mark.parametrize("round_", range(3))
def test_one_entry_is_corrected_once_though_two_correct_it(
    pharmacy: Pharmacy, at_once: Callable[..., list[object]], round_: int
) -> None:
    pharmacy.enroll()
    (measured,) = pharmacy.events("measurement_recorded")
    before = pharmacy.count()
    answers = at_once(
        (corrects, (CorrectForm(measured.seq, "read wrong", (("weight", "72"),)), "tim")),
        (corrects, (CorrectForm(measured.seq, "wrong scales", (("weight", "73"),)), "paula")),
    )
    (loser,) = [answer for answer in answers if isinstance(answer, Turned)]
    assert not loser.unavailable
    assert "corrected" in loser.sentence
    assert f"entry {before + 1}" in loser.sentence or f"event {before + 1}" in loser.sentence, loser.sentence
    assert pharmacy.count() == before + 1
    with pharmacy.desk.store.read() as reader:
        correction = reader.correction(measured.seq)
    assert correction is not None
    assert correction.why == ("wrong scales" if answers[0] is loser else "read wrong")
    pharmacy.assert_sound()


@pytest.mark.parametrize("round_", range(3))
def test_a_quarantine_is_taken_back_while_one_of_its_vials_breaks(
    pharmacy: Pharmacy, at_once: Callable[..., list[object]], round_: int
) -> None:
    """Taken back first: the vial breaks on the shelf. Broken first: nothing is taken back, and the vial is named."""
    units = tuple(pharmacy.stock_up())
    workstation.quarantines(pharmacy, units[:2], "fridge at 12 °C")
    (event,) = pharmacy.events("vials_quarantined")
    before = pharmacy.count()
    undone, broken = at_once(
        (corrects, (CorrectForm(event.seq, "it was another fridge"), "paula", "carla")),
        (workstation.breaks, (units[0],)),
    )
    assert not isinstance(broken, Turned)
    assert pharmacy.vial(units[0]).state == "broken"
    if isinstance(undone, Turned):
        assert units[0] in undone.sentence
        assert pharmacy.vial(units[1]).state == "quarantined"
        assert pharmacy.count() == before + 1
    else:
        assert pharmacy.vial(units[1]).state == "available"
        assert pharmacy.count() == before + 2
    pharmacy.assert_sound()
