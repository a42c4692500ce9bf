"""The mark of a label in its codes and beneath them: of every kind, read back from the pixels (L-22, B-02, B-05)."""

from dataclasses import replace

import pytest

from labels.label_job import label_pages
from labels.proof import decode_pdf, letters, page_texts
from pharmacy_app.domain.label_marks import LETTERS, mark_of
from pharmacy_app.services.papers import Label, LabelSetup
from tests.labels.label_samples import LABELS, PRINTERS

MARKED = {kind: replace(LABELS[kind], mark=mark_of(kind, LABELS[kind].number, 1)) for kind in LETTERS}


def content_of(label: Label) -> set[str]:
    """What a scanner reads of a label's plain codes, and of its GS1 code."""
    return {label.number + label.mark, f"(91){label.number}(92){label.mark}"}


@pytest.mark.parametrize("kind", sorted(MARKED))
@pytest.mark.parametrize("dpi", PRINTERS)
def test_every_code_of_a_label_says_which_label_it_is(kind: str, dpi: int) -> None:
    label = MARKED[kind]
    pdf = label_pages((label,), LabelSetup(dpi=dpi))
    (codes,) = decode_pdf(pdf, dpi)
    assert codes
    assert set(codes) <= content_of(label)
    # Beneath the code stands all that it says, so that a hand can type it.
    (words,) = page_texts(pdf)
    assert f"{label.number} {label.mark}" in words or letters(label.number + label.mark) in letters(words)


def test_bag_and_cover_look_alike_to_the_eye_and_differ_to_the_scanner() -> None:
    bag, cover = (decode_pdf(label_pages((MARKED[kind],), LabelSetup()), 203) for kind in ("bag", "light cover"))
    assert not set(bag[0]) & set(cover[0])


def test_a_reprint_has_another_code_than_what_it_replaces() -> None:
    first = MARKED["vial"]
    second = replace(first, copy_number=2, mark=mark_of("vial", first.number, 2))
    codes = [decode_pdf(label_pages((label,), LabelSetup()), 203)[0] for label in (first, second)]
    assert codes == [[first.number + first.mark], [first.number + second.mark]]


def test_with_a_gtin_the_mark_stands_behind_the_elements() -> None:
    label = MARKED["vial"]
    marked = replace(label, values={**label.values, "gtin": "09506000134352"})
    (codes,) = decode_pdf(label_pages((marked,), LabelSetup()), 203)
    assert codes == [f"(01)09506000134352(17)261130(10)HX2201A(21){label.number}(7240)2012-0511(92){label.mark}"]


@pytest.mark.parametrize("kind", sorted(MARKED))
def test_a_label_from_before_is_drawn_as_it_was(kind: str) -> None:
    label = LABELS[kind]
    (codes,) = decode_pdf(label_pages((label,), LabelSetup()), 203)
    assert set(codes) <= {label.number, f"(91){label.number}"}
