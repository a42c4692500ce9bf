"""A long record is drawn beside the others' work: nobody waits for it, and it says truly up to which entry it goes."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.printing import RecordForm, print_accountability_record, print_medication_error
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.pharmacy import Pharmacy, StubPapers
from tests.services.test_medication_errors import report


class Slow(StubPapers):
    """Papers that take so long to draw that somebody does something meanwhile."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile
        self.drawn: list[tuple[int, int]] = []
        self.copies: list[int] = []

    def accountability_record(
        self, header: Any, lines: Iterable[Any], totals: tuple[tuple[str, int], ...], stamp: Any
    ) -> bytes:
        rest = iter(lines)
        first = next(rest)
        self._meanwhile()
        every = (first, *rest)
        self.drawn.append((stamp.head_seq, len(every)))
        return super().accountability_record(header, every, totals, stamp)

    def medication_error_report(self, report: Any) -> bytes:
        self._meanwhile()
        self.copies.append(report.copy_number)
        return super().medication_error_report(report)

    def _meanwhile(self) -> None:
        do, self.meanwhile = self.meanwhile, lambda: None
        do()


def test_a_vial_is_quarantined_while_the_record_is_drawn(pharmacy: Pharmacy) -> None:
    """The record of three years takes minutes; the vial that fell is put aside at once and is not on the record."""
    units = pharmacy.stock_up()
    before = pharmacy.count()

    def somebody_else() -> None:
        quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((units[0],), "it fell"))

    papers = Slow(somebody_else)
    desk = replace(pharmacy.desk, papers=papers)
    tim = pharmacy.act("tim")
    printed = print_accountability_record(desk, tim, RecordForm("1"))
    # Received and released: the quarantine is entry ``before + 1``, the print the one after.
    assert papers.drawn == [(before, 2)]
    assert [event.kind for event in pharmacy.events()[-2:]] == ["vials_quarantined", "record_printed"]
    assert printed.event.seq == before + 2
    # A double click draws nothing again.
    assert print_accountability_record(desk, tim, RecordForm("1")).sha256 == printed.sha256
    assert len(papers.drawn) == 1
    pharmacy.assert_sound()


def test_two_people_print_one_report_at_once_and_get_two_copies(pharmacy: Pharmacy) -> None:
    error_id = report(pharmacy)

    def somebody_else() -> None:
        print_medication_error(desk, pharmacy.act("quentin"), error_id)

    papers = Slow(somebody_else)
    desk = replace(pharmacy.desk, papers=papers)
    printed = print_medication_error(desk, pharmacy.act("paula"), error_id)
    # Quentin's was recorded first: Paula's first drawing, copy 1 too, is not kept.
    assert papers.copies == [1, 1, 2]
    assert printed.event.content["papers"][0]["copy_number"] == 2
    pharmacy.assert_sound()


def test_what_is_refused_is_not_recorded(pharmacy: Pharmacy) -> None:
    before = pharmacy.count()
    with pytest.raises(Refused, match="The strength"):
        print_accountability_record(pharmacy.desk, pharmacy.act("tim"), RecordForm("2"))
    assert pharmacy.count() == before
