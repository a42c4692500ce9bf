"""Rows of REGULATION chapter 3 that a day in the pharmacy shows: from the record to the printed label."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from labels.papers import PdfPapers
from labels.proof import page_texts
from pharmacy_app.services.labelling import LabelForm, print_labels
from pharmacy_app.services.ports import LabelFilter
from pharmacy_app.services.printers import PrinterForm, set_printer
from pharmacy_app.services.printing import Printed, kept_paper, print_worksheet
from tests.services.pharmacy import Pharmacy

DRUG = "inotuzumab ozogamicin"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def inked(pharmacy: Pharmacy) -> Pharmacy:
    """A pharmacy that prints real papers, with stock and a subject."""
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    pharmacy.stock_up()
    pharmacy.enroll()
    return pharmacy


def prints(pharmacy: Pharmacy, kind: str, about: str, why: str = "") -> Printed:
    return print_labels(pharmacy.desk, pharmacy.act("tim"), LabelForm(kind, (about,), why))


def flat(pdf: bytes) -> str:
    return " ".join(" ".join(page_texts(pdf)).split())


@pytest.mark.parametrize(
    ("diluted", "start", "end"), [("14:00", "17:00", "18:00"), ("10:15", "13:15", "14:15")], ids=["8 h", "4 h"]
)
def test_the_bag_s_label_says_the_hours_that_the_record_of_mixing_gives(
    inked: Pharmacy, diluted: str, start: str, end: str
) -> None:
    """L-15, L-16, L-18: reconstituted at 10:00 for 1 h of infusion; the pharmacy's limits are 4 h, 8 h and 4 h."""
    dose_id = inked.dose("worksheet")
    inked.clock.forward(hours=6 if diluted == "14:00" else 2, minutes=0 if diluted == "14:00" else 15)
    inked.prepare(dose_id, reconstituted_at="2026-03-02 10:00", diluted_at=f"2026-03-02 {diluted}")
    papers = page_texts(prints(inked, "bag", dose_id).pdf)
    assert len(papers) == 2
    for words in papers:
        assert f"Prepared 02-Mar-2026 {diluted} CST" in words
        assert f"Start by 02-Mar-2026 {start} CST" in words
        assert f"02-Mar-2026 {end} CST" in words
        assert "PROTECT FROM LIGHT" in words
    assert ["on the bag" in words for words in papers] == [True, False]
    assert ["outside the light cover" in words for words in papers] == [False, True]


def test_the_drug_is_spelled_alike_on_worksheet_and_every_label(inked: Pharmacy) -> None:
    """L-09: in full, in lower case, as the protocol's own file has it, and with no sign of a trade mark."""
    dose_id = inked.dose("worksheet")
    papers = {"worksheet": flat(print_worksheet(inked.desk, inked.act("paula"), dose_id, "again").pdf)}
    inked.prepare(dose_id)
    one = inked.thread(dose_id).vials[1].unit_number
    unopened = next(vial.unit_number for vial in inked.vials() if vial.state == "available")
    wanted = (("bag", dose_id), ("syringe", dose_id), ("opened vial", one), ("vial", unopened))
    papers |= {kind: flat(prints(inked, kind, about, "again").pdf) for kind, about in wanted}
    for name, words in papers.items():
        assert DRUG in words, name
        assert "™" not in words
        assert "®" not in words
        if name != "worksheet":  # it quotes sentences of the protocol that begin with the name
            assert set(re.findall(r"(?i)\bino\w*mab\b(?:\s+\w+)?", words)) == {DRUG}, name


@pytest.mark.parametrize("room", ["ui", "labels", "pharmacy_app"])
def test_no_screen_and_no_paper_has_a_spelling_of_its_own(room: str) -> None:
    """L-09: the screens, papers and acts take the name from the protocol or write it in full and in lower case."""
    found = []
    for path in sorted((ROOT / room).rglob("*.py")):
        content = path.read_text(encoding="utf-8")
        found += [(path.name, word) for word in re.findall(r"\b[Ii]notuzumab\b(?: \w+)?", content) if word != DRUG]
    assert found == []


@pytest.mark.parametrize("native", ["no", "yes"])
def test_a_zebra_prints_as_many_labels_as_are_on_record(inked: Pharmacy, native: str) -> None:
    """REGULATION, ZPL: ^PQ is one for each label, so that a copy nobody recorded never comes out."""
    form = PrinterForm("Zebra", "tcp", "10.20.30.40", "zpl", native_codes=native, default_for=("bag",))
    set_printer(inked.desk, inked.act("paula"), form)
    dose_id = inked.dose("prepared")
    event = prints(inked, "bag", dose_id).event
    job = kept_paper(inked.desk, event.content["job_sha256"])
    with inked.desk.store.read() as reader:
        recorded = reader.labels(LabelFilter(print_seq=event.seq), limit=100)
    assert [label.copy_number for label in recorded] == [1, 1]
    assert re.findall(rb"\^PQ[^^]*", job) == [b"^PQ1,0,0,N"] * len(recorded)
