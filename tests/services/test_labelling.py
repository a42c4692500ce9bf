"""Labels as a pharmacist lives with them: what prints when, what came out, what is void, and the scan-back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labels.papers import PdfPapers
from labels.proof import decode_pdf, page_texts
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.gs1 import GS
from pharmacy_app.domain.label_marks import mark_of
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services import views
from pharmacy_app.services.corrections import CorrectForm, correct, correctable
from pharmacy_app.services.disposition import (
    AccountForm,
    CarrierTyped,
    DestroyForm,
    LossForm,
    ReturnForm,
    account_for,
    break_vials,
    destroy_vials,
    return_vials,
)
from pharmacy_app.services.disposition_forms import form_number
from pharmacy_app.services.labelling import (
    LabelForm,
    OutcomeForm,
    ResumeForm,
    ScanBackForm,
    VoidForm,
    check_scan_back,
    labels_again,
    left_of,
    own_codes,
    preview_labels,
    print_labels,
    print_outcome,
    resume_print,
    scan_back,
    void_label,
)
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.places import ClosePlaceForm, close_place
from pharmacy_app.services.ports import LabelFilter
from pharmacy_app.services.preparation import BAG_LABELS, ScanForm, check_scan
from pharmacy_app.services.printers import LABEL_KINDS, PrinterForm, set_printer
from pharmacy_app.services.printing import Printed, kept_paper
from pharmacy_app.services.questions import today
from pharmacy_app.services.scanning import find_vial, where
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    release_shipment,
    release_with_document,
)
from pharmacy_app.services.study_settings import SettingsForm, sign_settings
from tests.services.pharmacy import SOURCE, Pharmacy, StubPapers


class Seen(StubPapers):
    """Papers without ink that remember what was drawn."""

    def __init__(self) -> None:
        self.drawn: list[tuple[tuple[Any, ...], Any]] = []
        self.zebra: list[tuple[tuple[Any, ...], Any]] = []

    def labels(self, labels: Sequence[Any], setup: Any) -> bytes:
        self.drawn.append((tuple(labels), setup))
        return super().labels(labels, setup)

    def zpl(self, labels: Sequence[Any], setup: Any) -> bytes:
        self.zebra.append((tuple(labels), setup))
        return super().zpl(labels, setup)


@pytest.fixture
def seen(pharmacy: Pharmacy) -> Seen:
    """The papers of the pharmacy, which remember."""
    papers = Seen()
    pharmacy.desk = replace(pharmacy.desk, papers=papers)
    return papers


def prints(pharmacy: Pharmacy, kind: str, *about: str, who: str = "tim", **more: Any) -> Printed:
    return print_labels(pharmacy.desk, pharmacy.act(who), LabelForm(kind, about, **more))


def answer(pharmacy: Pharmacy, printed: Printed, failed: str = "", *, nothing: bool = False) -> Event:
    form = OutcomeForm(printed.event.seq, failed, nothing=nothing)
    return print_outcome(pharmacy.desk, pharmacy.act("tim"), form)


def labels(pharmacy: Pharmacy, **wanted: Any) -> list[views.LabelLine]:
    with pharmacy.desk.store.read() as reader:
        return list(reader.labels(LabelFilter(**wanted)))


def faults_of(do: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(Refused) as refused:
        do()
    return refused.value.faults


def one_fault(do: Callable[[], object], field: str, words: str) -> None:
    (fault,) = faults_of(do)
    assert fault.field == field
    assert words in fault.sentence, fault.sentence


# --- a label and its copies --------------------------------------------------------------------------------------


def test_a_second_copy_needs_a_reason_and_says_which_copy_it_is(pharmacy: Pharmacy, seen: Seen) -> None:
    first, second, *_ = pharmacy.receive()
    prints(pharmacy, "vial", first)
    one_fault(lambda: prints(pharmacy, "vial", first, second), "why", "the label says REPRINT")
    event = prints(pharmacy, "vial", first, second, why="torn").event
    assert [label.copy_number for label in seen.drawn[-1][0]] == [2, 1]
    assert [(line["about"], line["copy_number"]) for line in event.content["papers"]] == [(first, 2), (second, 1)]
    assert event.why == "torn"
    assert [(line.number, line.copy_number, line.why) for line in labels(pharmacy, number=first)] == [
        (first, 2, "torn"),
        (first, 1, ""),
    ]
    pharmacy.assert_sound()


def test_the_same_vial_named_twice_gets_one_label(pharmacy: Pharmacy, seen: Seen) -> None:
    first, *_ = pharmacy.receive()
    prints(pharmacy, "vial", first, first)
    assert [label.number for label in seen.drawn[-1][0]] == [first]


def test_a_double_click_prints_once(pharmacy: Pharmacy, seen: Seen) -> None:
    units = pharmacy.receive()
    act = pharmacy.act("tim")
    form = LabelForm("vial", tuple(units))
    once = print_labels(pharmacy.desk, act, form)
    assert print_labels(pharmacy.desk, act, form).event == once.event
    assert len(seen.drawn) == 1


def test_nothing_is_printed_for_what_is_not_there(pharmacy: Pharmacy) -> None:
    one_fault(lambda: prints(pharmacy, "vial"), "about", "Nothing is chosen")
    one_fault(lambda: prints(pharmacy, "vial", numbered("V", 77)), "about", "There is no vial")
    one_fault(lambda: prints(pharmacy, "sticker", "x"), "kind", "The kind of label: choose vial,")
    one_fault(lambda: prints(pharmacy, "place", "Cellar"), "about", "There is no place Cellar")
    one_fault(lambda: prints(pharmacy, "ruler", "Zebra"), "printer", "There is no printer Zebra")
    one_fault(lambda: prints(pharmacy, "return box", "RET-1"), "about", "There is no return RET-1")
    one_fault(lambda: prints(pharmacy, "return box", "RET-" + "9" * 30), "about", "There is no return")
    one_fault(lambda: prints(pharmacy, "destruction container", ""), "about", "There is no destruction without")
    one_fault(lambda: prints(pharmacy, "vial", "x", start_at="0"), "start_at", "from 1 to 999")
    assert not pharmacy.events("paper_printed")


def test_a_preview_is_what_would_print_and_leaves_no_trace(pharmacy: Pharmacy, seen: Seen) -> None:
    units = tuple(pharmacy.receive())
    before = pharmacy.count()
    with pharmacy.desk.store.read() as reader:
        shown = preview_labels(pharmacy.desk, reader, LabelForm("vial", units))
    assert pharmacy.count() == before
    assert (shown.labels, shown.reprints) == (10, 0)
    assert prints(pharmacy, "vial", *units).pdf == shown.pdf
    # Of many the first are drawn, and all are counted; each would say REPRINT now.
    with pharmacy.desk.store.read() as reader:
        again = preview_labels(pharmacy.desk, reader, LabelForm("vial", units), 3)
    assert (len(seen.drawn[-1][0]), again.labels, again.reprints) == (3, 10, 10)


# --- each kind in the state it speaks of -------------------------------------------------------------------------


def test_a_vial_label_is_for_an_unopened_vial_that_is_here(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    opened = pharmacy.thread(dose_id).vials[0].unit_number
    one_fault(lambda: prints(pharmacy, "vial", opened, why="x"), "about", "is opened: only an unopened vial")
    one_fault(lambda: prints(pharmacy, "quarantine", units[9]), "about", "is available, not in quarantine")
    one_fault(lambda: prints(pharmacy, "hold for monitor", units[9]), "about", "only a used container")
    one_fault(lambda: prints(pharmacy, "hold for monitor", opened), "about", "Close its content first")
    one_fault(lambda: prints(pharmacy, "opened vial", units[9]), "about", "only an opened vial")


def test_the_opened_vial_says_until_when_its_content_may_be_diluted(pharmacy: Pharmacy, seen: Seen) -> None:
    """Reconstituted at 08:00 and to be diluted within 4 h: until 12:00, long before the 8 h of the whole are over."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    second = pharmacy.thread(dose_id).vials[1].unit_number
    prints(pharmacy, "opened vial", second)
    (label,), _ = seen.drawn[-1]
    assert (label.number, label.values["opened_by"]) == (second, "Tim Lindqvist")
    assert f"{label.values['opened_at']:%H:%M %Z}" == "08:00 CST"
    assert f"{label.values['beyond_use_at']:%H:%M}" == "12:00"
    # 1 mg less the 2.24 mL × 0.25 mg/mL that were drawn.
    assert label.values["left_mg"] == Decimal("0.44")
    pharmacy.clock.forward(hours=4)
    prints(pharmacy, "opened vial", second, why="wet")
    pharmacy.clock.forward(seconds=1)
    one_fault(lambda: prints(pharmacy, "opened vial", second, why="wet"), "about", "could be used until")
    pharmacy.assert_sound()


def test_a_syringe_label_says_what_was_drawn(pharmacy: Pharmacy, seen: Seen) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("verified")
    one_fault(lambda: prints(pharmacy, "syringe", dose_id), "", "must be prepared")
    other = pharmacy.enroll("002")
    planned = pharmacy.dose("planned", other)
    one_fault(lambda: prints(pharmacy, "syringe", planned), "", "after both signatures")
    prints_worksheet(pharmacy, dose_id)
    pharmacy.prepare(dose_id)
    prints(pharmacy, "syringe", dose_id)
    (label,), _ = seen.drawn[-1]
    # 3.6 mL + 2.24 mL at 0.25 mg/mL.
    assert (label.values["volume_ml"], label.values["dose_mg"]) == (Decimal("5.84"), Decimal("1.46"))
    assert f"{label.values['beyond_use_at']:%H:%M}" == "12:00"


def prints_worksheet(pharmacy: Pharmacy, dose_id: str) -> None:
    from pharmacy_app.services.printing import print_worksheet

    print_worksheet(pharmacy.desk, pharmacy.act("paula"), dose_id)


def test_the_compounding_limit_of_the_site_shortens_the_bag(pharmacy: Pharmacy, seen: Seen) -> None:
    """Immediate use, 3 h from 08:00: the infusion ends by 11:00, though the stability limits would last until 12:00."""
    form = SettingsForm(
        compounding_category="immediate use", compounding_hours="3", compounding_source="SOP 797-2 (made up for tests)"
    )
    sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    made = pharmacy.thread(dose_id).preparation
    assert made["beyond_use_at"] == "2026-03-02T11:00:00-06:00"
    assert made["start_by"] == "2026-03-02T10:00:00-06:00"
    assert made["clock"]["deciding"] == "end by, from the compounding limit"
    prints(pharmacy, "bag", dose_id)
    bag, cover = seen.drawn[-1][0]
    assert (bag.kind, cover.kind) == ("bag", "light cover")
    assert f"{bag.values['beyond_use_at']:%H:%M}" == "11:00"
    assert bag.values == cover.values
    prints(pharmacy, "opened vial", pharmacy.thread(dose_id).vials[0].unit_number)
    assert f"{seen.drawn[-1][0][0].values['beyond_use_at']:%H:%M}" == "11:00"


def test_a_long_compounding_limit_changes_nothing(pharmacy: Pharmacy) -> None:
    form = SettingsForm(
        compounding_category="category 1, room temperature", compounding_hours="12", compounding_source=SOURCE
    )
    sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    pharmacy.stock_up()
    pharmacy.enroll()
    made = pharmacy.thread(pharmacy.dose("prepared")).preparation
    assert made["beyond_use_at"] == "2026-03-02T12:00:00-06:00"


@pytest.mark.parametrize(
    ("category", "hours", "taken"),
    [
        ("immediate use", "4", True),
        ("immediate use", "4.01", False),
        ("category 1, room temperature", "12", True),
        ("category 1, room temperature", "12.5", False),
        ("category 1, refrigerator", "24", True),
        ("category 1, refrigerator", "25", False),
        ("category 2, room temperature", "96", True),
        ("category 2, room temperature", "97", False),
        ("category 2, refrigerator", "240", True),
        ("category 2, refrigerator", "241", False),
    ],
)
def test_no_compounding_limit_is_longer_than_its_category(
    pharmacy: Pharmacy, category: str, hours: str, taken: bool
) -> None:
    form = SettingsForm(compounding_category=category, compounding_hours=hours, compounding_source=SOURCE)

    def sign() -> Event:
        return sign_settings(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))

    if taken:
        assert "compounding" in sign().content["settings"]
    else:
        one_fault(sign, "compounding.hours", "USP <797>")


def test_a_quarantine_label_says_why_since_when_and_by_whom(pharmacy: Pharmacy, seen: Seen) -> None:
    first, second, *_ = pharmacy.stock_up()
    quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((first,), "the stopper is loose"))
    prints(pharmacy, "quarantine", first)
    (label,), _ = seen.drawn[-1]
    assert (label.number, label.values["vials"], label.values["held_by"]) == (first, 1, "Paula Reyes")
    assert label.values["reason"] == "the stopper is loose"
    assert f"{label.values['since']:%d %H:%M}" == "02 08:00"
    prints(pharmacy, "quarantine", first, why="wet", says="Stopper loose, ask the supporter")
    assert seen.drawn[-1][0][0].values["reason"] == "Stopper loose, ask the supporter"
    assert seen.drawn[-1][0][0].copy_number == 2
    one_fault(lambda: prints(pharmacy, "quarantine", numbered("X", 1)), "about", "nothing to label")
    one_fault(lambda: prints(pharmacy, "quarantine", second), "about", "not in quarantine")


def test_used_containers_are_labelled_for_the_monitor_until_she_has_accounted(pharmacy: Pharmacy, seen: Seen) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("closed")
    one, two = (vial.unit_number for vial in pharmacy.thread(dose_id).vials)
    prints(pharmacy, "hold for monitor", dose_id)
    (label,), _ = seen.drawn[-1]
    assert (label.number, label.values["what"], label.values["lot"]) == (dose_id, "2 used containers", "A1")
    prints(pharmacy, "hold for monitor", one)
    assert seen.drawn[-1][0][0].values["what"] == f"{pharmacy.vial(one).state.capitalize()} vial, 1 mg"
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((one,), ""), pharmacy.sign("mona"))
    one_fault(lambda: prints(pharmacy, "hold for monitor", one, why="x"), "about", "Mona Sorensen has accounted for")
    prints(pharmacy, "hold for monitor", dose_id, why="one is accounted for")
    assert seen.drawn[-1][0][0].values["what"] == "1 used container"
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((two,), ""), pharmacy.sign("mona"))
    one_fault(lambda: prints(pharmacy, "hold for monitor", dose_id, why="x"), "about", "No used container")


CARRIER = CarrierTyped("Courier", "T-1", "3", "S-1", "TL-1")


def sent_back(pharmacy: Pharmacy, units: Sequence[str]) -> str:
    form = ReturnForm(tuple(units), pharmacy.permission(), "Depot Ghent", "study end", "yes", CARRIER)
    event = return_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    return form_number("return", event.seq)


def test_each_package_of_a_return_has_its_own_number_and_keeps_it(pharmacy: Pharmacy, seen: Seen) -> None:
    units = pharmacy.stock_up()
    number = sent_back(pharmacy, units[:4])
    printed = prints(pharmacy, "return box", number.lower())
    boxes, _ = seen.drawn[-1]
    assert [box.number for box in boxes] == [numbered("B", 1), numbered("B", 2), numbered("B", 3)]
    assert [(box.values["box"], box.values["boxes"], box.values["vials"]) for box in boxes] == [
        (1, 3, 4),
        (2, 3, 4),
        (3, 3, 4),
    ]
    assert boxes[0].values["packed_by"] == "Paula Reyes"
    # The printer jams at the second: the first is out, the second is printed again, the third for the first time.
    answer(pharmacy, printed, "2")
    resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq))
    assert [(box.number, box.copy_number, box.reprint) for box in seen.drawn[-1][0]] == [
        (numbered("B", 2), 2, 1),
        (numbered("B", 3), 2, 0),
    ]
    prints(pharmacy, "return box", sent_back(pharmacy, units[4:5]))
    assert [box.number for box in seen.drawn[-1][0]] == [numbered("B", count) for count in (4, 5, 6)]
    pharmacy.assert_sound()


def test_a_return_that_was_taken_back_gets_no_label(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    number = sent_back(pharmacy, units[:1])
    form = CorrectForm(int(number[4:]), "it never left")
    correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
    one_fault(lambda: prints(pharmacy, "return box", number), "about", "taken back by a correction")


def test_the_container_of_a_destruction_names_who_closed_and_who_saw_it(pharmacy: Pharmacy, seen: Seen) -> None:
    units = pharmacy.stock_up()
    loss = LossForm((units[0],), "fell")
    break_vials(pharmacy.desk, pharmacy.act("tim"), loss, pharmacy.sign("tim"), pharmacy.sign("carla"))
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((units[0],), ""), pharmacy.sign("mona"))
    form = DestroyForm((units[0],), pharmacy.permission(), "incineration", "bin 12")
    event = destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    prints(pharmacy, "destruction container", form_number("destroy", event.seq))
    (label,), _ = seen.drawn[-1]
    assert (label.number, label.values["containers"]) == (numbered("C", 1), 1)
    assert (label.values["closed_by"], label.values["witnessed_by"]) == ("Tim Lindqvist", "Carla Okafor")
    prints(pharmacy, "destruction container", form_number("destroy", event.seq), why="wet")
    assert [(each.number, each.copy_number) for each in seen.drawn[-1][0]] == [(numbered("C", 1), 2)]
    pharmacy.assert_sound()


def test_a_place_keeps_its_number_and_loses_its_label_when_it_is_closed(pharmacy: Pharmacy, seen: Seen) -> None:
    prints(pharmacy, "place", "Refrigerator 2")
    assert seen.drawn[-1][0][0].number == numbered("P", 2)
    close_place(pharmacy.desk, pharmacy.act("paula"), ClosePlaceForm("Refrigerator 2", "sold"))
    one_fault(lambda: prints(pharmacy, "place", "Refrigerator 2", why="x"), "about", "was closed")


EU = {
    "region": "eu",
    "contact_name": "Dr. Ines Vogel",
    "contact_address": "Uferweg 1, 10115 Berlin",
    "contact_phone": "+49 30 555 0117",
}


@pytest.mark.parametrize("more", [{}, EU], ids=["us", "eu"])
def test_every_kind_prints_in_ink_what_the_record_says(pharmacy: Pharmacy, more: dict[str, Any]) -> None:
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    printer(pharmacy, default_for=LABEL_KINDS, **more)
    units = pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    one, two = (vial.unit_number for vial in pharmacy.thread(dose_id).vials)
    quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((units[9],), "The stopper is loose."))
    said = {
        "vial": (units[8], units[8], "again"),
        "opened vial": (two, "OPENED VIAL", ""),
        "bag": (dose_id, "LABEL 2 of 2", ""),
        "syringe": (dose_id, "5.84 mL", ""),
        "quarantine": (units[9], "The stopper is loose.", ""),
        "place": ("Refrigerator 1", "Refrigerator 1", ""),
        "ruler": ("Zebra 1", "Zebra 1", ""),
    }
    for kind, (about, words, why) in said.items():
        assert words in " ".join(page_texts(prints(pharmacy, kind, about, why=why).pdf)), kind
    pharmacy.scan_back(dose_id)
    pharmacy.release(dose_id)
    pharmacy.give(dose_id)
    pharmacy.close(dose_id)
    held = " ".join(page_texts(prints(pharmacy, "hold for monitor", dose_id).pdf))
    assert "2 used containers" in held
    boxes = page_texts(prints(pharmacy, "return box", sent_back(pharmacy, units[2:5])).pdf)
    assert ["of 3" in words for words in boxes] == [True] * 3
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((one, two), ""), pharmacy.sign("mona"))
    form = DestroyForm((one, two), pharmacy.permission(), "incineration", "bin 12")
    event = destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    container = prints(pharmacy, "destruction container", form_number("destroy", event.seq))
    assert "Witnessed by Carla Okafor" in " ".join(" ".join(page_texts(container.pdf)).split())
    pharmacy.assert_sound()


# --- the record of a print ---------------------------------------------------------------------------------------


def test_a_print_can_be_made_again_to_the_byte(tmp_path: Path) -> None:
    """The record names printer, stock, resolution, region, languages and templates, and what each label says."""
    from tests.services.pharmacy import open_pharmacy

    pharmacy = open_pharmacy(tmp_path / "study.sqlite")
    pharmacy.desk = replace(pharmacy.desk, papers=PdfPapers())
    printer(pharmacy, dpi="300", offset_x_mm="0.5", offset_y_mm="-1", default_for=("bag",))
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    printed = prints(pharmacy, "bag", dose_id)
    content = printed.event.content
    assert (content["printer"], content["language"], content["setup"]["dpi"]) == ("Zebra 1", "pdf", 300)
    assert content["setup"]["region"] == "us"
    assert content["setup"]["languages"] == ["en"]
    assert content["templates_sha256"] == pharmacy.desk.papers.templates_sha256()
    with pharmacy.desk.store.read() as reader:
        again, setup = labels_again(reader, printed.event.seq)
    assert pharmacy.desk.papers.labels(again, setup) == printed.pdf
    assert setup.offset_y_mm == -1
    # What is put on the bag says its number, and that is what is scanned back.
    assert any(dose_id in content for content in decode_pdf(printed.pdf, 300)[0])
    with pharmacy.desk.store.read() as reader:
        one_fault(lambda: labels_again(reader, 1), "print_seq", "is no print of labels")
    pharmacy.assert_sound()


def test_labels_are_drawn_beside_the_others_work(pharmacy: Pharmacy) -> None:
    """Two hundred labels take a while: meanwhile a vial of them breaks, and the print says so instead of going on."""
    units = pharmacy.receive()

    class Slow(StubPapers):
        def labels(self, labels: Sequence[Any], setup: Any) -> bytes:
            loss = LossForm((units[0],), "fell")
            if pharmacy.vial(units[0]).state == "held":
                break_vials(pharmacy.desk, pharmacy.act("paula"), loss, pharmacy.sign("paula"), pharmacy.sign("carla"))
            return super().labels(labels, setup)

    desk = replace(pharmacy.desk, papers=Slow())
    one_fault(
        lambda: print_labels(desk, pharmacy.act("tim"), LabelForm("vial", tuple(units))), "about", "is broken: only"
    )
    assert not pharmacy.events("paper_printed")


def test_what_changes_while_labels_are_drawn_is_drawn_again(pharmacy: Pharmacy) -> None:
    """Two people print one vial's label at the same moment: the later one is the second copy, and says so."""
    (unit, *_) = pharmacy.receive()

    class Slow(Seen):
        def labels(self, labels: Sequence[Any], setup: Any) -> bytes:
            if not self.drawn:
                prints(pharmacy, "vial", unit, who="paula")
            return super().labels(labels, setup)

    papers = Slow()
    desk = replace(pharmacy.desk, papers=papers)
    printed = print_labels(desk, pharmacy.act("tim"), LabelForm("vial", (unit,), "the first one is smeared"))
    assert [label.copy_number for (label,), _ in papers.drawn] == [1, 2]
    assert printed.pdf == papers._paper(*papers.drawn[1][0], papers.drawn[1][1])
    pharmacy.assert_sound()


# --- printers ----------------------------------------------------------------------------------------------------


def printer(pharmacy: Pharmacy, name: str = "Zebra 1", who: str = "paula", **changes: Any) -> Event:
    form = PrinterForm(name, "system", "zebra-1", **changes)
    return set_printer(pharmacy.desk, pharmacy.act(who), form)


def test_a_printer_is_set_and_each_kind_goes_to_the_one_set_for_it_last(pharmacy: Pharmacy, seen: Seen) -> None:
    units = pharmacy.receive()
    printer(pharmacy, default_for=("vial", "bag"), stocks=(("vial", "2.25 x 1.25 in"),), dpi="300")
    printer(pharmacy, "Office", "robin", default_for=("bag",))
    with pharmacy.desk.store.read() as reader:
        zebra, office = reader.printers()
    assert (zebra.number, zebra.default_for) == (numbered("R", 1), ("vial",))
    assert (office.number, office.default_for, office.set_by) == (numbered("R", 2), ("bag",), "Robin Ahlgren")
    printed = prints(pharmacy, "vial", *units)
    assert printed.event.content["printer"] == "Zebra 1"
    assert (seen.drawn[-1][1].dpi, seen.drawn[-1][1].stock) == (300, "2.25 x 1.25 in")
    prints(pharmacy, "vial", units[0], printer="office", why="for the file")
    assert (seen.drawn[-1][1].dpi, seen.drawn[-1][1].stock) == (203, "")
    prints(pharmacy, "ruler", "zebra 1")
    assert (seen.drawn[-1][0][0].number, seen.drawn[-1][1].dpi) == (numbered("R", 1), 300)
    printer(pharmacy, in_use="no", default_for=("vial",), why="sold")
    assert prints(pharmacy, "vial", units[0], why="again").event.content["printer"] == ""
    one_fault(lambda: prints(pharmacy, "vial", units[0], printer="Zebra 1"), "printer", "out of use")
    pharmacy.assert_sound()


def test_what_a_zebra_reads_is_kept_beside_the_pdf(pharmacy: Pharmacy, seen: Seen) -> None:
    units = pharmacy.receive()
    form = PrinterForm("Zebra", "tcp", "10.20.30.40", "zpl", native_codes="yes", default_for=("vial",))
    event = set_printer(pharmacy.desk, pharmacy.act("paula"), form)
    assert event.content["printer"]["target"] == "10.20.30.40:9100"
    printed = prints(pharmacy, "vial", units[0])
    assert seen.zebra[-1] == seen.drawn[-1]
    assert seen.zebra[-1][1].native_codes
    job = kept_paper(pharmacy.desk, printed.event.content["job_sha256"])
    assert job != printed.pdf
    pharmacy.assert_sound()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": " "}, "name", "name is missing"),
        ({"target": ""}, "target", "queue's name is missing"),
        ({"outlet": "pigeon"}, "outlet", "choose system, tcp or file"),
        ({"outlet": "tcp", "language": "zpl", "target": "a b"}, "target", "is no printer's address"),
        ({"outlet": "tcp", "language": "zpl", "target": "zebra:0"}, "target", "is no printer's address"),
        ({"outlet": "tcp", "language": "pdf", "target": "zebra"}, "language", "A network port takes ZPL"),
        ({"dpi": "72"}, "dpi", "from 150 to 1200"),
        ({"offset_x_mm": "20.1"}, "offset_x_mm", "more than 20 mm"),
        ({"offset_y_mm": "-x"}, "offset_y_mm", "not a plain number"),
        ({"stocks": (("hat", "4 x 2 in"),)}, "stocks", "no label of the kind “hat”"),
        ({"default_for": ("hat",)}, "default_for", "no label of the kind “hat”"),
        ({"in_use": "perhaps"}, "in_use", "choose yes or no"),
    ],
)
def test_a_printer_that_cannot_be_so_is_refused(
    pharmacy: Pharmacy, changes: dict[str, Any], field: str, words: str
) -> None:
    form = replace(PrinterForm("Zebra", "system", "zebra"), **changes)
    one_fault(lambda: set_printer(pharmacy.desk, pharmacy.act("paula"), form), field, words)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"stocks": (("bag", "4 x 3 in"), ("vial", "5 x 9 in"))}, "stocks.vial"),
        ({"region": "moon"}, "region"),
        ({"languages": "en xx"}, "languages"),
        ({"languages": ""}, "languages"),
        ({"block": "us-zz"}, "block"),
        ({"width_mm": "50"}, "height_mm"),
        ({"width_mm": "9", "height_mm": "30"}, "width_mm"),
        ({"language": "zpl", "stocks": (("vial", "Avery 5160"),)}, "stocks.vial"),
    ],
)
def test_a_stock_or_language_nobody_has_is_refused_when_the_printer_is_set(
    pharmacy: Pharmacy, changes: dict[str, Any], field: str
) -> None:
    desk = replace(pharmacy.desk, papers=PdfPapers())
    form = replace(PrinterForm("Zebra", "system", "zebra"), **changes)
    assert field in {fault.field for fault in faults_of(lambda: set_printer(desk, pharmacy.act("paula"), form))}


@pytest.mark.parametrize("stock", ["4 x 3 in", "4 x 2 in", "2.25 x 1.25 in", "2 x 1 in", "Avery 5160", "Avery 5163"])
def test_every_stock_can_be_set(pharmacy: Pharmacy, stock: str) -> None:
    desk = replace(pharmacy.desk, papers=PdfPapers())
    form = PrinterForm("Zebra", "system", "zebra", stocks=(("vial", stock),))
    assert set_printer(desk, pharmacy.act("paula"), form).content["printer"]["stocks"] == [["vial", stock]]


def test_a_network_printer_with_an_offset_to_the_left(pharmacy: Pharmacy) -> None:
    event = printer(pharmacy, offset_x_mm="-1.5", offset_y_mm=" ")
    assert (event.content["printer"]["offset_x_mm"], event.content["printer"]["offset_y_mm"]) == ("-1.5", "0")
    one_fault(lambda: printer(pharmacy, "ZEBRA 1"), "name", "There is a printer Zebra 1 already")


def test_the_union_needs_its_contact(pharmacy: Pharmacy) -> None:
    """Annex VI: the main contact stands on the label; a printer that has none prints no such label."""
    desk = replace(pharmacy.desk, papers=PdfPapers())
    pharmacy.desk = desk
    (unit, *_) = pharmacy.receive()
    printer(pharmacy, region="eu", default_for=("vial",))
    fields = {fault.field for fault in faults_of(lambda: prints(pharmacy, "vial", unit))}
    assert fields == {"contact_name", "contact_address", "contact_phone"}
    printer(
        pharmacy,
        region="eu",
        default_for=("vial",),
        contact_name="Dr. Ines Vogel",
        contact_address="Uferweg 1, 10115 Berlin",
        contact_phone="+49 30 555 0117",
    )
    assert prints(pharmacy, "vial", unit).pdf.startswith(b"%PDF")


# --- did they come out? ------------------------------------------------------------------------------------------


def statuses(pharmacy: Pharmacy, printed: Printed) -> list[str]:
    return [label.status for label in labels(pharmacy, print_seq=printed.event.seq)]


def test_the_question_stays_open_until_it_is_answered(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units)
    with pharmacy.desk.store.read() as reader:
        (open_print,) = today(pharmacy.desk, reader).open_prints
    assert (open_print.event_seq, open_print.kind, open_print.labels, open_print.waiting) == (
        printed.event.seq,
        "vial",
        10,
        10,
    )
    answer(pharmacy, printed)
    assert statuses(pharmacy, printed) == ["out"] * 10
    with pharmacy.desk.store.read() as reader:
        assert today(pharmacy.desk, reader).open_prints == ()
    one_fault(lambda: answer(pharmacy, printed), "print_seq", "It is on record already")
    one_fault(lambda: answer(pharmacy, replace(printed, event=pharmacy_event(pharmacy))), "print_seq", "is no print")
    pharmacy.assert_sound()


def pharmacy_event(pharmacy: Pharmacy) -> Any:
    return pharmacy.events("shipment_received")[0]


def test_after_a_jam_the_run_goes_on_at_the_label_that_failed(pharmacy: Pharmacy, seen: Seen) -> None:
    """Of 200 vial labels the 120th jams: 119 are out, one is void, 80 were never printed; 81 come from the resume."""
    units = pharmacy.receive("S-200", (LotTyped("1", "A1", "2027-03-31", "200"),))
    printed = prints(pharmacy, "vial", *units)
    one_fault(
        lambda: resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq)),
        "print_seq",
        "Say first which labels came out",
    )
    one_fault(lambda: answer(pharmacy, printed, "201"), "failed", "must be from 1 to 200")
    one_fault(lambda: answer(pharmacy, printed, "0"), "failed", "must be from 1 to 200")
    answer(pharmacy, printed, "120")
    assert statuses(pharmacy, printed) == ["out"] * 119 + ["void"] + ["never out"] * 80
    with pharmacy.desk.store.read() as reader:
        assert [label.number for label in left_of(reader, printed.event.seq)] == units[119:]
    resumed = resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq))
    drawn = seen.drawn[-1][0]
    assert [label.number for label in drawn] == units[119:]
    assert [label.copy_number for label in drawn] == [2] * 81
    assert [label.reprint for label in drawn] == [1] + [0] * 80
    assert resumed.event.why == "jam"
    one_fault(
        lambda: resume_print(pharmacy.desk, pharmacy.act("paula"), ResumeForm(printed.event.seq)),
        "print_seq",
        f"Nothing is left of print {printed.event.seq}: Tim Lindqvist printed the rest on 02-Mar-2026 08:00",
    )
    # The void one stays listed beside its second copy.
    assert [(line.copy_number, line.status, line.void_why) for line in labels(pharmacy, number=units[119])] == [
        (2, "printed", ""),
        (1, "void", "jam"),
    ]
    pharmacy.assert_sound()


def test_a_second_jam_is_gone_on_with_as_well(pharmacy: Pharmacy, seen: Seen) -> None:
    units = pharmacy.receive()
    first = prints(pharmacy, "vial", *units)
    answer(pharmacy, first, "1")
    act = pharmacy.act("tim")
    second = resume_print(pharmacy.desk, act, ResumeForm(first.event.seq, "ribbon"))
    assert resume_print(pharmacy.desk, act, ResumeForm(first.event.seq, "ribbon")).event == second.event
    assert [label.reprint for label in seen.drawn[-1][0]] == [1] + [0] * 9
    answer(pharmacy, second, "10")
    third = resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(second.event.seq))
    # Its first label never came out, its second is void: the third says REPRINT 1.
    assert [(label.number, label.copy_number, label.reprint) for label in seen.drawn[-1][0]] == [(units[9], 3, 1)]
    answer(pharmacy, third)
    # What never came out was never printed: the first label to come is no reprint, and has a mark of its own.
    assert [(line.copy_number, line.reprint) for line in labels(pharmacy, number=units[4], live=True)] == [(2, 0)]
    pharmacy.assert_sound()


def test_where_nothing_came_out_no_label_is_void_and_all_are_printed_on_another_printer(
    pharmacy: Pharmacy, seen: Seen, tmp_path: Path
) -> None:
    """The printer was dead: ten labels were asked for, none came, and all ten come from another, without REPRINT."""
    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units)
    answered = answer(pharmacy, printed, nothing=True)
    assert (answered.content["failed"], answered.content["out"], answered.content["void"]) == (0, [], [])
    assert statuses(pharmacy, printed) == ["never out"] * 10
    with pharmacy.desk.store.read() as reader:
        assert (reader.last_copy("vial", units[0]), reader.labels_out("vial", units[0], units[0])) == (1, 0)
        assert reader.newest_label("vial", units[0]) is None
    set_printer(pharmacy.desk, pharmacy.act("paula"), PrinterForm("Spare", "file", str(tmp_path)))
    resumed = resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq, printer="Spare"))
    drawn = [(label.number, label.copy_number, label.reprint) for label in seen.drawn[-1][0]]
    assert drawn == [(unit, 2, 0) for unit in units]
    assert (resumed.event.why, resumed.event.content["printer"]) == ("", "Spare")
    pharmacy.assert_sound()


def test_a_reprint_of_which_nothing_came_out_keeps_its_reason(pharmacy: Pharmacy, seen: Seen) -> None:
    units = pharmacy.receive()[:2]
    answer(pharmacy, prints(pharmacy, "vial", *units))
    again = print_labels(pharmacy.desk, pharmacy.act("tim"), LabelForm("vial", tuple(units), "washed off"))
    answer(pharmacy, again, nothing=True)
    resumed = resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(again.event.seq))
    assert [(label.copy_number, label.reprint) for label in seen.drawn[-1][0]] == [(3, 1), (3, 1)]
    assert resumed.event.why == "washed off"


def test_two_workstations_resume_one_jam_and_the_second_is_told_who_did_it(
    pharmacy: Pharmacy, monkeypatch: Any
) -> None:
    """Both looked at the same question; Tim was quicker by the time it takes to draw the labels."""
    import pharmacy_app.services.labelling as module

    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units)
    answer(pharmacy, printed, "4")
    drawn = module._drawn
    form = ResumeForm(printed.event.seq)

    def meanwhile(*given: Any) -> Any:
        monkeypatch.undo()
        ready = drawn(*given)
        resume_print(pharmacy.desk, pharmacy.act("tim"), form)
        return ready

    monkeypatch.setattr(module, "_drawn", meanwhile)
    one_fault(
        lambda: resume_print(pharmacy.desk, pharmacy.act("paula"), form), "print_seq", "Tim Lindqvist printed the rest"
    )
    assert len(pharmacy.events("paper_printed")) == 2
    assert [len(labels(pharmacy, number=unit)) for unit in units] == [1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    pharmacy.assert_sound()


def test_jam_is_the_reason_only_where_the_failed_label_comes_again(pharmacy: Pharmacy) -> None:
    """The failed one was printed by itself meanwhile; the rest never came out, and a lost one has its own reason."""
    units = pharmacy.receive()[:3]
    printed = prints(pharmacy, "vial", *units)
    answer(pharmacy, printed, "2")
    prints(pharmacy, "vial", units[1], why="needed at once")
    assert resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq)).event.why == ""
    void(pharmacy, printed.event.seq, 1, "fell into the sink")
    resumed = resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq))
    assert resumed.event.why == "fell into the sink"
    assert [line.number for line in labels(pharmacy, print_seq=resumed.event.seq)] == [units[0]]


def test_nothing_came_out_is_refused_for_a_label_that_was_scanned_where_it_was_put(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units[:4])
    pharmacy.scan_back(units[1])
    one_fault(lambda: answer(pharmacy, printed, nothing=True), "", f"Label 2, {units[1]}, was scanned back")
    assert statuses(pharmacy, printed) == ["printed", "out", "printed", "printed"]


def test_of_a_bag_the_cover_alone_is_printed_again(pharmacy: Pharmacy, seen: Seen) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    printed = prints(pharmacy, "bag", dose_id)
    answer(pharmacy, printed, "2")
    with pytest.raises(Refused, match=r"The light cover label of dose .* is void: jam. Print it again"):
        pharmacy.release(dose_id)
    resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq))
    assert [(label.kind, label.copy_number) for label in seen.drawn[-1][0]] == [("light cover", 2)]
    pharmacy.scan_back(dose_id)
    pharmacy.release(dose_id)
    pharmacy.assert_sound()


def test_a_vial_that_broke_meanwhile_stops_the_resume_by_its_name(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units)
    answer(pharmacy, printed, "5")
    loss = LossForm((units[7],), "fell")
    break_vials(pharmacy.desk, pharmacy.act("tim"), loss, pharmacy.sign("tim"), pharmacy.sign("carla"))
    one_fault(
        lambda: resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq)),
        "about",
        f"Vial {units[7]} is broken",
    )


def test_what_was_scanned_back_did_come_out(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units[:4])
    pharmacy.scan_back(units[2])
    one_fault(lambda: answer(pharmacy, printed, "2"), "failed", f"Label 3, {units[2]}, was scanned back")
    answer(pharmacy, printed, "4")
    assert statuses(pharmacy, printed) == ["out", "out", "out", "void"]
    # All scanned: nobody has to say that they came out.
    other = prints(pharmacy, "vial", *units[4:6])
    pharmacy.scan_back(*units[4:6])
    one_fault(lambda: answer(pharmacy, other), "print_seq", "It is on record already")


# --- void --------------------------------------------------------------------------------------------------------


def void(pharmacy: Pharmacy, seq: int, line: int, why: str = "lost") -> Event:
    return void_label(pharmacy.desk, pharmacy.act("tim"), VoidForm(seq, line, why))


def test_a_vial_whose_label_is_void_waits_for_a_new_one(pharmacy: Pharmacy) -> None:
    first, *_ = units = pharmacy.stock_up()
    pharmacy.enroll()
    (line,) = labels(pharmacy, number=first)
    one_fault(lambda: void(pharmacy, line.event_seq, line.line, ""), "why", "reason is missing")
    one_fault(lambda: void(pharmacy, line.event_seq, 77), "line", "has no label 77")
    void(pharmacy, line.event_seq, line.line, "fell off")
    assert not pharmacy.vial(first).label_scanned
    one_fault(lambda: void(pharmacy, line.event_seq, line.line), "line", "is void already")
    one_fault(
        lambda: pharmacy.scan_back(first), "codes.0", "which is void: fell off. Take it off, destroy it, and print"
    )
    dose_id = pharmacy.dose("decided")
    assert first not in pharmacy.best(dose_id)
    scan = ScanForm(dose_id, (first, units[1]), (), first)
    with pharmacy.desk.store.read() as reader:
        one_fault(lambda: check_scan(pharmacy.desk, reader, scan), "unit_number", "is not scanned yet")
    one_fault(lambda: pharmacy.reserve(dose_id, (first, units[1])), "unit_number", "is not scanned yet")
    prints(pharmacy, "vial", first, why="fell off")
    pharmacy.scan_back(first)
    pharmacy.reserve(dose_id, (first, units[1]))
    (found,) = labels(pharmacy, number=first, live=True)
    assert found.code == first + mark_of("vial", first, 2)
    assert (found.copy_number, found.scanned_by) == (2, "Tim Lindqvist")
    pharmacy.assert_sound()


def test_only_the_newest_copy_of_a_vials_label_counts(pharmacy: Pharmacy) -> None:
    """A spare copy replaces the first: from then on the vial waits for it, and the old paper is never revived."""
    first, *_ = pharmacy.stock_up()
    spare = prints(pharmacy, "vial", first, why="a spare")
    assert not pharmacy.vial(first).label_scanned
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    assert first not in pharmacy.best(dose_id)
    pharmacy.scan_back(first)
    assert pharmacy.vial(first).label_scanned
    # The old copy void: it had been replaced already. The newest void: nothing counts, though the old one was scanned.
    third = prints(pharmacy, "vial", first, why="another spare")
    pharmacy.scan_back(first)
    void(pharmacy, spare.event.seq, 1)
    assert pharmacy.vial(first).label_scanned
    void(pharmacy, third.event.seq, 1, "on the wrong vial")
    assert not pharmacy.vial(first).label_scanned
    oldest = first + mark_of("vial", first, 1)
    one_fault(lambda: pharmacy.scan_back(oldest), "codes.0", "The label of")
    prints(pharmacy, "vial", first, why="on the wrong vial")
    pharmacy.scan_back(first + mark_of("vial", first, 4))
    assert pharmacy.vial(first).label_scanned
    pharmacy.assert_sound()


def test_a_spare_that_never_came_out_gives_the_vial_back_its_scanned_label(pharmacy: Pharmacy) -> None:
    first, second, *_ = pharmacy.stock_up()
    spare = prints(pharmacy, "vial", first, second, why="a spare")
    answer(pharmacy, spare, nothing=True)
    assert pharmacy.vial(first).label_scanned
    assert pharmacy.vial(second).label_scanned
    # Two spares, the newer of which never came out: the older of them is still what counts, and it is not scanned.
    two = prints(pharmacy, "vial", first, why="a spare")
    three = prints(pharmacy, "vial", first, why="another")
    answer(pharmacy, three, nothing=True)
    assert not pharmacy.vial(first).label_scanned
    answer(pharmacy, two, nothing=True)
    assert pharmacy.vial(first).label_scanned
    # Torn in the printer it did come out, so nothing is given back.
    answer(pharmacy, prints(pharmacy, "vial", second, why="a spare"), "1")
    assert not pharmacy.vial(second).label_scanned
    pharmacy.assert_sound()


def test_a_label_from_before_a_correction_is_not_given_back(pharmacy: Pharmacy) -> None:
    first, *_ = pharmacy.stock_up()
    receipt = pharmacy.events("shipment_received")[0]
    form = CorrectForm(receipt.seq, "read wrong", (("labels.0.expiry", "2026-06-30"),))
    correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    answer(pharmacy, prints(pharmacy, "vial", first, why="expiry corrected"), nothing=True)
    assert not pharmacy.vial(first).label_scanned
    pharmacy.assert_sound()


def test_no_two_labels_have_one_mark(pharmacy: Pharmacy, seen: Seen) -> None:
    """Three times nothing came out; and the syringes of two strengths of one dose are told apart."""
    first, *_ = pharmacy.receive()
    for _ in range(3):
        answer(pharmacy, prints(pharmacy, "vial", first), nothing=True)
    prints(pharmacy, "vial", first)
    assert [line.mark for line in labels(pharmacy, number=first)] == [
        mark_of("vial", first, copy) for copy in (4, 3, 2, 1)
    ]
    assert {line.reprint for line in labels(pharmacy, number=first)} == {0}
    pharmacy.assert_sound()


def test_the_syringes_of_two_strengths_have_two_marks_and_each_its_own_reprints(pharmacy: Pharmacy, seen: Seen) -> None:
    one, four = LotTyped("1", "A1", "2027-03-31", "4"), LotTyped("4", "B1", "2027-03-31", "4")
    units = pharmacy.stock_up(lots=(one, four))
    pharmacy.enroll("002", height="190", weight="110")
    dose_id = pharmacy.dose("planned", "002", "1.93", units=(units[0], units[4]))
    drawn_ml = str(pharmacy.thread(dose_id).plan["drawn_ml"])
    pharmacy.verify(dose_id, height_cm="190", weight_kg="110", dose_mg="1.93", drawn_ml=drawn_ml)
    prints_worksheet(pharmacy, dose_id)
    pharmacy.prepare(dose_id, [str(draw["draw_ml"]) for draw in pharmacy.thread(dose_id).plan["draws"]])
    printed = prints(pharmacy, "syringe", dose_id)
    marks = [label.mark for label in seen.drawn[-1][0]]
    assert marks == [mark_of("syringe", dose_id, copy) for copy in (1, 2)]
    assert [label.reprint for label in seen.drawn[-1][0]] == [0, 0]
    # The second is torn: it alone comes again, as its own first reprint.
    answer(pharmacy, printed, "2")
    resume_print(pharmacy.desk, pharmacy.act("tim"), ResumeForm(printed.event.seq))
    assert [(label.copy_number, label.reprint) for label in seen.drawn[-1][0]] == [(3, 1)]
    prints(pharmacy, "syringe", dose_id, why="wet")
    assert [(label.copy_number, label.reprint) for label in seen.drawn[-1][0]] == [(4, 1), (5, 2)]
    pharmacy.assert_sound()


def test_what_the_print_says_of_reprints_is_made_again_from_the_record(pharmacy: Pharmacy, seen: Seen) -> None:
    first, *_ = pharmacy.receive()
    answer(pharmacy, prints(pharmacy, "vial", first), nothing=True)
    printed = prints(pharmacy, "vial", first)
    with pharmacy.desk.store.read() as reader:
        again, _ = labels_again(reader, printed.event.seq)
    assert again == seen.drawn[-1][0]
    assert [(label.copy_number, label.reprint) for label in again] == [(2, 0)]


def test_what_never_came_out_is_not_voided(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units)
    answer(pharmacy, printed, "3")
    one_fault(lambda: void(pharmacy, printed.event.seq, 4), "line", "never came out")


# --- scan-back ---------------------------------------------------------------------------------------------------


def test_a_vial_is_usable_once_its_own_label_was_scanned(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    with pharmacy.desk.store.read() as reader:
        assert len(today(pharmacy.desk, reader).unscanned) == 10
    prints(pharmacy, "vial", *units)
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    day = pharmacy.clock().date()
    with pharmacy.desk.store.read() as reader:
        assert reader.usable_vials(day) == []
        assert len(reader.usable_vials(day, unscanned=True)) == 10, "the forecast counts what only waits for its scan"
    event = pharmacy.scan_back(*units[:3])
    assert [scan["number"] for scan in event.content["scans"]] == units[:3]
    with pharmacy.desk.store.read() as reader:
        assert [vial.unit_number for vial in reader.usable_vials(day)] == units[:3]
        assert [vial.unit_number for vial in today(pharmacy.desk, reader).unscanned] == units[3:]
    pharmacy.assert_sound()


def test_every_wrong_scan_is_named_and_none_is_recorded(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    prints(pharmacy, "vial", *units[:2])
    wrong = units[0][:-1] + ("0" if units[0][-1] != "0" else "1")
    codes = (units[0], units[2], units[0], numbered("V", 99), "5000000000000", wrong, numbered("F", 1), "")
    faults = {fault.field: fault.sentence for fault in faults_of(lambda: pharmacy.scan_back(*codes))}
    assert "No label was printed for" in faults["codes.1"]
    assert "scanned twice, as code 1 and 3" in faults["codes.2"]
    assert "There is no vial" in faults["codes.3"]
    assert "is not the number of a label" in faults["codes.4"]
    assert "misread" in faults["codes.5"]
    assert "is not the number of a label" in faults["codes.6"]
    assert "Nothing was read" in faults["codes.7"]
    assert len(faults) == 7
    assert not pharmacy.events("labels_scanned")
    one_fault(pharmacy.scan_back, "codes", "Nothing was scanned")
    pharmacy.scan_back(units[0])
    one_fault(lambda: pharmacy.scan_back(units[0]), "codes.0", "was scanned back by Tim Lindqvist on")


def test_scans_are_judged_one_by_one_before_they_are_recorded(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    prints(pharmacy, "vial", *units[:2])
    (code,) = pharmacy.codes(units[0])
    with pharmacy.desk.store.read() as reader:
        check = partial(check_scan_back, pharmacy.desk, reader)
        assert check(ScanBackForm((code,))) == f"Vial label {units[0]}"
        one_fault(lambda: check(ScanBackForm((code, code))), "codes.1", "scanned already")
        one_fault(lambda: check(ScanBackForm((code, units[5]))), "codes.1", "No label")


def test_a_scanner_with_caps_lock_is_understood_and_noted(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    prints(pharmacy, "vial", units[0])
    event = pharmacy.scan_back(pharmacy.codes(units[0])[0].lower())
    (scan,) = event.content["scans"]
    assert scan["number"] == units[0]
    assert "Caps Lock" in scan["notes"][0]


def test_a_bag_leaves_only_with_its_own_label_scanned_after_the_last_print(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    one_fault(lambda: pharmacy.scan_back(dose_id), "codes.0", "No label was printed for")
    prints(pharmacy, "bag", dose_id)
    one_fault(lambda: pharmacy.release(dose_id), "", "was not scanned since it was printed")
    pharmacy.scan_back(dose_id)
    prints(pharmacy, "bag", dose_id, why="wet")
    one_fault(lambda: pharmacy.release(dose_id), "", "was not scanned since it was printed")
    pharmacy.scan_back(dose_id)
    pharmacy.release(dose_id)
    one_fault(lambda: pharmacy.scan_back(dose_id), "codes.0", "no bag of it waits")
    one_fault(lambda: pharmacy.scan_back(numbered("D", 9)), "codes.0", "There is no dose")
    pharmacy.assert_sound()


def test_the_label_of_a_vials_quarantine_is_not_the_vials_own(pharmacy: Pharmacy) -> None:
    """Both bear the vial's number; only what was printed to stand on the vial makes it usable."""
    first, *_ = pharmacy.receive()
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((first,), "cracked cap"))
    prints(pharmacy, "quarantine", first)
    prints(pharmacy, "vial", first)
    own, other = first + mark_of("vial", first, 1), first + mark_of("quarantine", first, 1)
    one_fault(lambda: pharmacy.scan_back(other), "codes.0", f"This is the quarantine label of {first}, not its own")
    one_fault(lambda: pharmacy.scan_back(" " + first), "codes.0", f"the vial label of {first}")
    assert not pharmacy.vial(first).label_scanned
    pharmacy.scan_back(own)
    assert pharmacy.vial(first).label_scanned
    day = pharmacy.clock().date()
    # On the vial in quarantine it names the vial; on a usable one it has been left on by mistake.
    with pharmacy.desk.store.read() as reader:
        assert find_vial(reader, other, day).unit_number == first
        one_fault(
            lambda: find_vial(reader, first + mark_of("opened vial", first, 1), day),
            "unit_number",
            f"This is copy 1 of the opened vial label of {first}, which was never printed here.",
        )
    usable = PermissionForm((first,), pharmacy.permission())
    release_with_document(pharmacy.desk, pharmacy.act("paula"), usable)
    with pharmacy.desk.store.read() as reader:
        words = f"This is the quarantine label of vial {first}, and the record says that the vial is available"
        one_fault(lambda: find_vial(reader, other, day), "unit_number", words)
    pharmacy.assert_sound()


def test_neither_worksheet_nor_syringe_stands_for_the_bag_and_each_label_proves_itself_alone(
    pharmacy: Pharmacy,
) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    prints(pharmacy, "syringe", dose_id)
    prints(pharmacy, "bag", dose_id)
    for paper in (f" {dose_id}", f"]d291{dose_id}"):
        one_fault(partial(pharmacy.scan_back, paper), "codes.0", "but not which label it is")
    syringe = dose_id + mark_of("syringe", dose_id, 1)
    one_fault(lambda: pharmacy.scan_back(syringe), "codes.0", "This is the syringe label of")
    bag, cover = (dose_id + mark_of(kind, dose_id, 1) for kind in BAG_LABELS)
    with pharmacy.desk.store.read() as reader:
        assert own_codes(reader, dose_id) == (bag, cover)
        (waiting,) = today(pharmacy.desk, reader).unscanned_bags
        assert (waiting.dose_id, waiting.kinds) == (dose_id, BAG_LABELS)
    pharmacy.scan_back(bag)
    one_fault(lambda: pharmacy.release(dose_id), "", "light cover of dose")
    one_fault(lambda: pharmacy.scan_back(bag), "codes.0", "The bag label of")
    with pharmacy.desk.store.read() as reader:
        (waiting,) = today(pharmacy.desk, reader).unscanned_bags
        assert waiting.kinds == ("light cover",)
    pharmacy.scan_back(f"]d291{dose_id}{GS}92{mark_of('light cover', dose_id, 1)}")
    with pharmacy.desk.store.read() as reader:
        assert today(pharmacy.desk, reader).unscanned_bags == ()
    pharmacy.release(dose_id)
    pharmacy.assert_sound()


def test_a_reprint_is_proved_by_the_reprinted_label_alone(pharmacy: Pharmacy) -> None:
    first, *_ = pharmacy.receive()
    prints(pharmacy, "vial", first)
    prints(pharmacy, "vial", first, why="smudged")
    old, new, none = (first + mark_of("vial", first, copy) for copy in (1, 2, 3))
    one_fault(lambda: pharmacy.scan_back(old), "codes.0", "copy 2 was printed since and counts")
    one_fault(lambda: pharmacy.scan_back(none), "codes.0", "No copy 3 of the vial label of")
    line = labels(pharmacy, number=first)[-1]
    void(pharmacy, line.event_seq, line.line, "smudged")
    one_fault(lambda: pharmacy.scan_back(old), "codes.0", "which is void: smudged. Take it off, destroy it, and scan")
    pharmacy.scan_back(new)
    assert pharmacy.vial(first).label_scanned


def test_a_label_that_never_came_out_proves_nothing(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    answer(pharmacy, prints(pharmacy, "vial", *units), "3")
    code = units[4] + mark_of("vial", units[4], 1)
    one_fault(lambda: pharmacy.scan_back(code), "codes.0", "it never came out of the printer")
    # Printed after all it has another mark: the old paper, should it come out late, still proves nothing.
    prints(pharmacy, "vial", units[4])
    one_fault(lambda: pharmacy.scan_back(code), "codes.0", "it never came out of the printer")
    assert not pharmacy.vial(units[4]).label_scanned
    pharmacy.scan_back(units[4] + mark_of("vial", units[4], 2))
    assert pharmacy.vial(units[4]).label_scanned


def test_what_a_hand_typed_is_marked_so_and_needs_all_that_stands_beneath_the_code(pharmacy: Pharmacy) -> None:
    first, second, *_ = pharmacy.receive()
    prints(pharmacy, "vial", first, second)
    mark = mark_of("vial", second, 1)
    form = ScanBackForm((*pharmacy.codes(first), f"{second.lower()} {mark}"), by_hand=(1,))
    bare = ScanBackForm((second,), by_hand=(0,))
    one_fault(lambda: scan_back(pharmacy.desk, pharmacy.act("tim"), bare), "codes.0", "type all that is printed")
    event = scan_back(pharmacy.desk, pharmacy.act("tim"), form)
    scans = event.content["scans"]
    assert [(scan["number"], scan["by_hand"]) for scan in scans] == [(first, False), (second, True)]
    # A slip of a hand is never taken for one of the keyboard.
    wrong = ScanBackForm((second + mark[:-1] + ("0" if mark[-1] != "0" else "1"),), by_hand=(0,))
    one_fault(lambda: scan_back(pharmacy.desk, pharmacy.act("tim"), wrong), "codes.0", "was misread")


def test_labels_without_a_mark_stay_readable(pharmacy: Pharmacy, monkeypatch: Any) -> None:
    """Printed and put on before labels were told apart by their codes."""
    import pharmacy_app.services.labelling as module

    first, second, *_ = pharmacy.receive()
    monkeypatch.setattr(module, "LETTERS", {})
    prints(pharmacy, "vial", first, second)
    monkeypatch.undo()
    assert pharmacy.codes(first) == (first,)
    pharmacy.scan_back(first)
    assert pharmacy.vial(first).label_scanned
    with pharmacy.desk.store.read() as reader:
        assert find_vial(reader, second, pharmacy.clock().date()).unit_number == second
    # A new copy has its mark, and the old one's bare code proves it no more.
    prints(pharmacy, "vial", second, why="old one")
    one_fault(lambda: pharmacy.scan_back(" " + second), "codes.0", "not which label it is")


def test_a_void_label_is_refused_wherever_it_is_scanned_and_an_older_copy_is_said(pharmacy: Pharmacy) -> None:
    first, *_ = pharmacy.receive()
    prints(pharmacy, "vial", first)
    prints(pharmacy, "vial", first, why="smudged")
    old = first + mark_of("vial", first, 1)
    day = pharmacy.clock().date()
    with pharmacy.desk.store.read() as reader:
        assert "copy 2 was printed since" in where(reader, old, day).notes[0]
    line = labels(pharmacy, number=first)[-1]
    void(pharmacy, line.event_seq, line.line, "on the wrong vial")
    with pharmacy.desk.store.read() as reader:
        one_fault(lambda: where(reader, old, day), "scan", "which is void: on the wrong vial")
        one_fault(lambda: find_vial(reader, old, day), "unit_number", "which is void: on the wrong vial")
        assert find_vial(reader, first + mark_of("vial", first, 2), day).unit_number == first


def test_a_label_that_never_came_out_or_was_never_printed_names_nothing(pharmacy: Pharmacy) -> None:
    """There is no such paper, so what bears its mark is a forgery, a test print or another pharmacy's."""
    first, *_ = pharmacy.receive()
    answer(pharmacy, prints(pharmacy, "vial", first), nothing=True)
    day = pharmacy.clock().date()
    with pharmacy.desk.store.read() as reader:
        never = first + mark_of("vial", first, 1)
        one_fault(lambda: where(reader, never, day), "scan", "of which it is on record that it never came out")
        none = first + mark_of("vial", first, 7)
        one_fault(lambda: find_vial(reader, none, day), "unit_number", "which was never printed here")
    prints(pharmacy, "vial", first)
    with pharmacy.desk.store.read() as reader:
        one_fault(lambda: where(reader, never, day), "scan", "of which it is on record that it never came out")
        assert find_vial(reader, first + mark_of("vial", first, 2), day).unit_number == first


def test_other_labels_are_scanned_back_as_well(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    pharmacy.enroll()
    printer(pharmacy)
    prints(pharmacy, "place", "Refrigerator 1")
    prints(pharmacy, "ruler", "Zebra 1")
    prints(pharmacy, "return box", sent_back(pharmacy, units[8:9]))
    dose_id = pharmacy.dose("prepared")
    opened = pharmacy.thread(dose_id).vials[0].unit_number
    prints(pharmacy, "opened vial", opened)
    event = pharmacy.scan_back(numbered("P", 1), numbered("R", 1), numbered("B", 2), opened, who="carla")
    assert [scan["kind"] for scan in event.content["scans"]] == ["place", "ruler", "return box", "opened vial"]
    one_fault(lambda: pharmacy.scan_back(units[8]), "codes.0", "is returned: its label is needed no more")
    pharmacy.assert_sound()


def test_a_label_from_before_a_corrected_lot_does_not_count(pharmacy: Pharmacy) -> None:
    """Lot A1 was A7: the vial waits for a label that says so, and the old one's code proves nothing."""
    first, *_ = pharmacy.stock_up()
    receipt = pharmacy.events("shipment_received")[0]
    form = CorrectForm(receipt.seq, "read wrong", (("labels.0.lot", "A7"),))
    correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))
    assert not pharmacy.vial(first).label_scanned
    one_fault(lambda: pharmacy.scan_back(first), "codes.0", "is older than a correction of what it says")
    prints(pharmacy, "vial", first, why="lot corrected")
    pharmacy.scan_back(first)
    assert pharmacy.vial(first).label_scanned
    pharmacy.assert_sound()


def test_moving_a_vial_to_another_place_keeps_its_label(pharmacy: Pharmacy) -> None:
    from pharmacy_app.services.transport import TransportForm, transport

    first, *_ = pharmacy.stock_up()
    transport(pharmacy.desk, pharmacy.act("tim"), TransportForm((first,), "Refrigerator 2", "Tim"))
    assert pharmacy.vial(first).label_scanned
    pharmacy.assert_sound()


def corrected(pharmacy: Pharmacy, kind: str, **typed: str) -> Event:
    """Two persons put the newest entry of a kind right; a dot in a field's name is typed as two underscores."""
    form = CorrectForm(
        pharmacy.events(kind)[0].seq,
        "read wrong",
        tuple((name.replace("__", "."), value) for name, value in typed.items()),
    )
    return correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


def test_a_reserved_vial_whose_label_is_void_does_not_go_on(pharmacy: Pharmacy) -> None:
    """The label turned out to be another vial's: neither check nor mixing, until a new one is put on and scanned."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("planned")
    unit = pharmacy.thread(dose_id).vials[0].unit_number
    (line,) = labels(pharmacy, number=unit)
    void(pharmacy, line.event_seq, line.line, "on another vial")
    words = f"The vial label of vial {unit} is void: on another vial. Print the vial label under Labels, put it on"
    one_fault(lambda: pharmacy.verify(dose_id), "", words)
    prints(pharmacy, "vial", unit, why="void")
    one_fault(lambda: pharmacy.verify(dose_id), "", f"vial {unit}, copy 2, was not scanned since it was printed")
    pharmacy.scan_back(unit)
    pharmacy.verify(dose_id)
    prints_worksheet(pharmacy, dose_id)
    spare = prints(pharmacy, "vial", unit, why="a spare")
    one_fault(lambda: pharmacy.prepare(dose_id), "", f"vial {unit}, copy 3, was not scanned since it was printed")
    answer(pharmacy, spare, nothing=True)
    pharmacy.prepare(dose_id)
    pharmacy.assert_sound()


def test_a_reserved_vial_whose_expiry_was_corrected_is_labelled_anew_before_it_is_mixed(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    one, two = (vial.unit_number for vial in pharmacy.thread(dose_id).vials)
    corrected(pharmacy, "shipment_received", labels__0__expiry="2026-06-30")
    faults = [fault.sentence for fault in faults_of(lambda: pharmacy.prepare(dose_id))]
    assert [f"vial {unit} is older than a correction" in fault for unit, fault in zip((one, two), faults, strict=True)]
    assert all("Print the vial label under Labels" in fault for fault in faults)
    pharmacy.label_vials((one, two), "expiry corrected")
    pharmacy.prepare(dose_id)


def test_a_bag_waits_where_the_label_of_one_of_its_vials_is_void(pharmacy: Pharmacy) -> None:
    """An opened vial gets no vial label any more: its own label as an opened one says which it is."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    unit = pharmacy.thread(dose_id).vials[0].unit_number
    line = labels(pharmacy, number=unit, kind="vial")[0]
    void(pharmacy, line.event_seq, line.line, "on another vial")
    one_fault(lambda: pharmacy.release(dose_id), "", f"The vial label of vial {unit} is void: on another vial.")
    one_fault(lambda: pharmacy.release(dose_id), "", "Print the opened vial label under Labels")
    prints(pharmacy, "opened vial", unit)
    one_fault(lambda: pharmacy.release(dose_id), "", f"opened vial label of vial {unit}, copy 1, was not scanned")
    pharmacy.scan_back(unit)
    pharmacy.release(dose_id)
    pharmacy.assert_sound()


def test_labels_from_before_a_corrected_preparation_never_release_the_bag(pharmacy: Pharmacy) -> None:
    """Two prints, of the older nothing came out; then the preparation is put right and a third is printed.

    The second print's papers say the old dose and the old time. They are neither scanned back nor let the bag go.
    """
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("prepared")
    one, two = (vial.unit_number for vial in pharmacy.thread(dose_id).vials)
    first = prints(pharmacy, "bag", dose_id)
    second = prints(pharmacy, "bag", dose_id, why="smudged")
    answer(pharmacy, first, nothing=True)
    old = [line.code for line in labels(pharmacy, print_seq=second.event.seq)]
    pharmacy.clock.forward(minutes=40)
    corrected(
        pharmacy,
        "dose_prepared",
        reconstituted_at="2026-03-02 08:00",
        diluted_at="2026-03-02 08:00",
        **{f"drawn_ml__{one}": "3.6", f"drawn_ml__{two}": "2.6"},
    )
    faults = faults_of(lambda: pharmacy.scan_back(*old))
    assert all("is older than a correction of what it says" in fault.sentence for fault in faults)
    assert len(faults) == 2
    third = prints(pharmacy, "bag", dose_id, why="corrected")
    new = labels(pharmacy, print_seq=third.event.seq)
    assert [(line.copy_number, line.reprint) for line in new] == [(3, 1), (3, 1)]
    faults = faults_of(lambda: pharmacy.scan_back(*old))
    assert all("copy 3 was printed since and counts" in fault.sentence for fault in faults)
    one_fault(lambda: pharmacy.release(dose_id), "", "was not scanned since it was printed")
    pharmacy.scan_back(*(line.code for line in new))
    pharmacy.release(dose_id)
    pharmacy.assert_sound()


def test_a_void_bag_label_never_revives_the_older_copy(pharmacy: Pharmacy) -> None:
    """Copy 1 was scanned; copy 2 was put on another bag and is void: the bag waits for a third."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    again = prints(pharmacy, "bag", dose_id, why="torn")
    for line in (1, 2):
        void(pharmacy, again.event.seq, line, "on another bag")
    faults = faults_of(lambda: pharmacy.release(dose_id))
    assert [fault.sentence.split(".")[0] for fault in faults] == [
        f"The {kind} label of dose {dose_id} is void: on another bag" for kind in BAG_LABELS
    ]
    for kind in BAG_LABELS:
        one_fault(
            partial(pharmacy.scan_back, dose_id + mark_of(kind, dose_id, 1)), "codes.0", "is void: on another bag"
        )
    pharmacy.label_bag(dose_id, "on another bag")
    pharmacy.release(dose_id)


# --- corrections, authority, the record of before ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("paper_printed", "Print it again"),
        ("labels_scanned", "Void the label with the reason"),
        ("label_voided", "A void label stays void"),
        ("print_answered", "is voided, with the reason"),
        ("printer_set", "Set the printer again"),
    ],
)
def test_each_entry_says_which_way_is_open_instead_of_a_correction(pharmacy: Pharmacy, kind: str, words: str) -> None:
    units = pharmacy.stock_up()
    printer(pharmacy)
    (line,) = labels(pharmacy, number=units[0])
    void(pharmacy, line.event_seq, line.line)
    answer(pharmacy, prints(pharmacy, "vial", units[0], why="again"))
    seq = pharmacy.events(kind)[0].seq
    with pharmacy.desk.store.read() as reader:
        (sentence,) = correctable(reader, seq).why_not
    assert words in sentence


@pytest.mark.parametrize(
    ("who", "kind", "may"),
    [
        ("paula", "printer_set", True),
        ("robin", "printer_set", True),
        ("tim", "printer_set", False),
        ("carla", "labels_scanned", True),
        ("mona", "labels_scanned", False),
        ("robin", "labels_scanned", False),
        ("tim", "print_answered", True),
        ("carla", "print_answered", False),
        ("tim", "label_voided", True),
        ("mona", "label_voided", False),
    ],
)
def test_who_may(pharmacy: Pharmacy, who: str, kind: str, may: bool) -> None:
    units = pharmacy.receive()
    printed = prints(pharmacy, "vial", *units)
    acts: dict[str, Callable[[], object]] = {
        "printer_set": lambda: printer(pharmacy, who=who),
        "labels_scanned": lambda: scan_back(pharmacy.desk, pharmacy.act(who), ScanBackForm(pharmacy.codes(units[0]))),
        "print_answered": lambda: print_outcome(pharmacy.desk, pharmacy.act(who), OutcomeForm(printed.event.seq)),
        "label_voided": lambda: void_label(pharmacy.desk, pharmacy.act(who), VoidForm(printed.event.seq, 1, "torn")),
    }
    if may:
        acts[kind]()
        assert pharmacy.events()[-1].kind == kind
    else:
        with pytest.raises(Refused, match="is signed in as"):
            acts[kind]()
        assert pharmacy.events()[-1].kind == "access_denied"


def test_prints_of_before_count_as_out_and_wait_for_their_scan(pharmacy: Pharmacy, monkeypatch: Any) -> None:
    """A journal written before labels were told one by one: its prints have papers alone."""
    import pharmacy_app.services.labelling as module

    units = pharmacy.receive()
    recorded = module._recorded

    def as_before(*given: Any) -> dict[str, Any]:
        return {name: value for name, value in recorded(*given).items() if name in ("sha256", "papers")}

    monkeypatch.setattr(module, "_recorded", as_before)
    prints(pharmacy, "vial", *units)
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    monkeypatch.undo()
    assert {line.status for line in labels(pharmacy, kind="vial")} == {"out"}
    with pharmacy.desk.store.read() as reader:
        assert reader.open_prints() == []
        assert reader.usable_vials(pharmacy.clock().date()) == []
    pharmacy.scan_back(*units)
    one_fault(lambda: prints(pharmacy, "vial", units[0]), "why", "printed before")
    pharmacy.enroll()
    pharmacy.dose("planned")
    pharmacy.assert_sound()


def test_labels_and_printers_are_never_deleted(pharmacy: Pharmacy) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from tests.databases import other_hands

    pharmacy.stock_up()
    printer(pharmacy)
    for table, words in (("label", "stays listed"), ("printer", "never deleted")):
        with other_hands(pharmacy.path) as raw, pytest.raises(DBAPIError, match=words):
            raw.execute(text(f"DELETE FROM {table}"))


def test_time_between_print_and_scan_is_on_record(pharmacy: Pharmacy) -> None:
    units = pharmacy.receive()
    prints(pharmacy, "vial", units[0])
    pharmacy.clock.forward(minutes=7)
    pharmacy.scan_back(units[0])
    (line,) = labels(pharmacy, number=units[0])
    assert line.scanned_at is not None
    assert line.scanned_at - line.printed_at == timedelta(minutes=7)
