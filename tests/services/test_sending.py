"""What is still to be sent of a print: only labels whose paper nobody has had, voided or printed anew meanwhile."""

from collections.abc import Callable

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.labelling import (
    LabelForm,
    OutcomeForm,
    VoidForm,
    print_labels,
    print_outcome,
    void_label,
)
from pharmacy_app.services.printers import PrinterForm, set_printer
from pharmacy_app.services.sending import Outgoing, Overtaken, to_send
from tests.services.pharmacy import Pharmacy


@pytest.fixture
def units(pharmacy: Pharmacy) -> list[str]:
    """Four vials whose labels go to the Zebra in the pharmacy."""
    form = PrinterForm("Zebra", "tcp", "10.20.30.40", language="zpl", default_for=("vial",))
    set_printer(pharmacy.desk, pharmacy.act("paula"), form)
    return list(pharmacy.receive()[:4])


def printed(pharmacy: Pharmacy, *units: str, why: str = "", who: str = "tim") -> int:
    return print_labels(pharmacy.desk, pharmacy.act(who), LabelForm("vial", units, why)).event.seq


def sends(pharmacy: Pharmacy, seq: int, after: int = 0) -> Outgoing:
    with pharmacy.desk.store.read() as reader:
        return to_send(reader, seq, after)


def overtaken(do: Callable[[], object]) -> str:
    with pytest.raises(Overtaken) as refused:
        do()
    (fault,) = refused.value.faults
    assert fault.sentence.endswith("Nothing more was sent.")
    return fault.sentence


def test_a_new_print_is_sent_whole_and_after_a_break_from_the_label_where_it_broke(
    pharmacy: Pharmacy, units: list[str]
) -> None:
    seq = printed(pharmacy, *units)
    whole = sends(pharmacy, seq)
    assert (whole.printer.name, whole.labels, whole.after) == ("Zebra", 4, 0)
    # Three had gone when the cable was pulled: the fourth is left.
    rest = sends(pharmacy, seq, 3)
    assert (rest.labels, rest.after, rest.content) == (4, 3, whole.content)


def test_a_label_voided_at_the_other_workstation_is_not_sent(pharmacy: Pharmacy, units: list[str]) -> None:
    seq = printed(pharmacy, *units)
    void_label(pharmacy.desk, pharmacy.act("paula"), VoidForm(seq, 3, "wrong lot"))
    words = overtaken(lambda: sends(pharmacy, seq))
    assert "voided label 3 of this print" in words
    assert "wrong lot" in words
    # It is the third: it stops what is behind the second, not what is behind it.
    overtaken(lambda: sends(pharmacy, seq, 2))
    assert sends(pharmacy, seq, 3).after == 3


@pytest.mark.parametrize(
    ("failed", "nothing", "words"),
    [("", False, "label 1 of this print"), ("2", False, "came out"), ("", True, "never came out")],
)
def test_what_was_answered_for_is_not_sent_again(
    pharmacy: Pharmacy, units: list[str], failed: str, nothing: bool, words: str
) -> None:
    seq = printed(pharmacy, *units)
    print_outcome(pharmacy.desk, pharmacy.act("paula"), OutcomeForm(seq, failed, nothing=nothing))
    assert words in overtaken(lambda: sends(pharmacy, seq))
    # Nor its last label alone, which came out, or counts as never printed.
    overtaken(lambda: sends(pharmacy, seq, 3))


def test_a_label_that_was_scanned_where_it_was_put_is_not_sent_again(pharmacy: Pharmacy, units: list[str]) -> None:
    seq = printed(pharmacy, *units)
    pharmacy.scan_back(units[3])
    assert "label 4 of this print" in overtaken(lambda: sends(pharmacy, seq, 3))


def test_a_label_printed_anew_meanwhile_is_not_sent_as_the_older_copy(pharmacy: Pharmacy, units: list[str]) -> None:
    seq = printed(pharmacy, *units)
    newer = printed(pharmacy, units[3], why="in a hurry", who="paula")
    assert f"printed label 4 of this print, {units[3]}, anew" in overtaken(lambda: sends(pharmacy, seq, 2))
    assert sends(pharmacy, newer).labels == 1
    # The newer one never came out: the older one counts, and may go.
    print_outcome(pharmacy.desk, pharmacy.act("paula"), OutcomeForm(newer, nothing=True))
    assert sends(pharmacy, seq, 2).after == 2


def test_a_print_for_no_printer_is_not_sent(pharmacy: Pharmacy) -> None:
    first, *_ = pharmacy.receive()
    with pytest.raises(Refused, match="was made for no printer"):
        sends(pharmacy, printed(pharmacy, first))


# --- the labels of a bag that has left ---------------------------------------------------------------------------


def _bag(pharmacy: Pharmacy) -> tuple[str, int]:
    """A bag that is made, its two labels printed and scanned: the dose and the print."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    seq = print_labels(pharmacy.desk, pharmacy.act("tim"), LabelForm("bag", (dose_id,))).event.seq
    pharmacy.scan_back(dose_id)
    return dose_id, seq


@pytest.mark.parametrize("line", [1, 2])
def test_the_labels_of_a_released_bag_are_not_voided(pharmacy: Pharmacy, line: int) -> None:
    """It is on its way to the ward with them: voiding them in the pharmacy would leave it without."""
    dose_id, seq = _bag(pharmacy)
    pharmacy.release(dose_id)
    with pytest.raises(Refused) as refused:
        void_label(pharmacy.desk, pharmacy.act("tim"), VoidForm(seq, line, "smudged"))
    (fault,) = refused.value.faults
    assert fault.field == "line"
    assert f"The bag of dose {dose_id} was released with its labels" in fault.sentence
    assert "cancel the dose" in fault.sentence
    pharmacy.assert_sound()


def test_before_the_release_a_bags_label_is_voided_and_the_bag_stays(pharmacy: Pharmacy) -> None:
    dose_id, seq = _bag(pharmacy)
    void_label(pharmacy.desk, pharmacy.act("tim"), VoidForm(seq, 1, "smudged"))
    with pytest.raises(Refused):
        pharmacy.release(dose_id)
