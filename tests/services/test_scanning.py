"""What a scan names: every thing of the record, what is none of it, and codes that may not be believed.

Monday, 2 March 2026, at a site in Chicago. Shipment S-1 brought three 1 mg vials of lot A1, kits K7701 to K7703.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.label_marks import mark_of
from pharmacy_app.domain.logger_files import Answers
from pharmacy_app.domain.vials import Vial, check_character, numbered
from pharmacy_app.services.counts import CountForm, begin_count, look_up, record_count
from pharmacy_app.services.disposition import LossForm, miss_vials
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.expiry import ExpiryForm, extend_expiry
from pharmacy_app.services.medication_errors import ErrorForm, record_error
from pharmacy_app.services.packing_list import LotScanned, LotTyped, scan_lot
from pharmacy_app.services.places import ClosePlaceForm, PlaceForm, add_place, close_place
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.scanning import (
    Target,
    find_vial,
    kit_forms,
    vial_sentence,
    vials_named,
    where,
)
from pharmacy_app.services.storage import BY_HAND, DeviationForm, record_deviation
from tests.services.pharmacy import Pharmacy

TODAY = date(2026, 3, 2)
KITS = LotTyped("1", "A1", "2027-03-31", "3", ("K7701 to K7703",))
GS = "\x1d"
GTIN = "09506000134352"
"""An example of GS1's own papers: 0+9+15+0+18+0+0+0+3+3+12+3+15 = 78, and 2 makes it 80."""


@pytest.fixture
def shelf(pharmacy: Pharmacy) -> Pharmacy:
    """Shipment S-1 as above, not released yet."""
    pharmacy.receive("S-1", (KITS,))
    return pharmacy


def named(pharmacy: Pharmacy, typed: str, **how: bool) -> Target:
    """What a scan names."""
    with pharmacy.desk.store.read() as reader:
        return where(reader, typed, TODAY, **how)


def vial_named(pharmacy: Pharmacy, typed: str, **how: bool) -> str:
    """The unit number of the vial that a scan names."""
    with pharmacy.desk.store.read() as reader:
        return find_vial(reader, typed, TODAY, **how).unit_number


def fault_of(act: Callable[[], object]) -> Fault:
    """The one fault with which something is refused."""
    with pytest.raises(Refused) as refused:
        act()
    (fault,) = refused.value.faults
    return fault


def refusal(pharmacy: Pharmacy, typed: str, **how: bool) -> str:
    """The sentence with which a scan is refused anywhere."""
    fault = fault_of(lambda: named(pharmacy, typed, **how))
    assert fault.field == "scan"
    return fault.sentence


ONE, TWO, THREE = (numbered("V", count) for count in (1, 2, 3))


# --- every kind ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        ONE,
        f"91{ONE}",  # what our DataMatrix holds
        f"]d191{ONE}",
        f"]C0{ONE}",
        f"]d201{GTIN}21{ONE}",  # the serial number of a GS1 code
        f"01{GTIN}10A1{GS}1727033121{ONE}",
        "K7701",
        "]C0K7701",
        "k7701",
        f"01{GTIN}21K7701",
        f"{ONE[:4]} {ONE[4:7]} {ONE[7]}",  # typed by eye
        ONE.replace("0", "O"),
        "vial K7701",
    ],
)
def test_a_vial_goes_by_our_number_its_kit_or_a_code_that_carries_one_of_them(shelf: Pharmacy, typed: str) -> None:
    target = named(shelf, typed)
    assert (target.kind, target.name, target.page, target.what) == ("vial", ONE, "vials", ONE)
    assert target.sentence == (f"Vial {ONE} (kit K7701), 1 mg, lot A1, expiry 31-Mar-2027, held, in Refrigerator 1")


def test_a_vial_says_whether_it_may_be_used_today_and_where_it_is(shelf: Pharmacy) -> None:
    vial = replace(shelf.vial(ONE), state="available", label_scanned=True)

    def said(day: date = TODAY, **changes: str | bool) -> str:
        return vial_sentence(replace(vial, **changes), day).partition("31-Mar-2027, ")[2]  # type: ignore[arg-type]

    assert said() == "usable, in Refrigerator 1"
    assert said(date(2027, 3, 31)) == "usable, in Refrigerator 1"  # its last day counts
    assert said(date(2027, 4, 1)) == "expired, in Refrigerator 1"
    assert said(label_scanned=False) == "released, its label is not scanned yet, in Refrigerator 1"
    assert said(state="quarantined", hold_reason="too warm") == "quarantined (too warm), in Refrigerator 1"
    # What has left is nowhere here.
    assert said(state="destroyed") == "destroyed"
    assert said(state="missing") == "missing"
    assert "(kit" not in vial_sentence(replace(vial, kit_number=""), TODAY)


def test_a_dose_an_error_and_a_document_lead_to_their_rooms(shelf: Pharmacy) -> None:
    shelf.enroll()
    dose_id = shelf.dose("ordered")
    target = named(shelf, f"91{dose_id}")
    assert (target.kind, target.name, target.page, target.what) == ("dose", dose_id, "prepare", dose_id)
    assert target.sentence == (
        f"Dose {dose_id}, subject 001, cycle 1 day 1, prescribed 1.46 mg, planned for 02-Mar-2026, ordered"
    )
    form = ErrorForm("Wrong bag in the hand", "preparation", "wrong drug", dose_id=dose_id)
    error_id = record_error(shelf.desk, shelf.act("tim"), form).content["error_id"]
    error = named(shelf, error_id)
    assert (error.kind, error.page, error.what) == ("medication error", "errors", error_id)
    assert error.sentence == f"Medication error {error_id}, dose {dose_id}, open"
    letter = DocumentForm("Letter on lot A1", "letter", "lot A1", "", "2026-03-01", "letter.txt")
    number = attach_document(shelf.desk, shelf.act("paula"), letter, b"As agreed.").content["document_id"]
    document = named(shelf, number)
    assert (document.kind, document.page, document.what) == ("document", "ledger", number)
    assert document.sentence == f"Document {number}, letter “Letter on lot A1” of 01-Mar-2026, about lot A1"


def test_a_count_its_discrepancy_and_a_storage_deviation(shelf: Pharmacy) -> None:
    with shelf.desk.store.read() as reader:
        begun = begin_count(reader).begun_seq
    form = CountForm("Refrigerator 1", begun, codes=(ONE, "K7702"))
    record_count(shelf.desk, shelf.act("tim"), form, shelf.sign("tim"), shelf.sign("carla"))
    count, discrepancy = numbered("N", 1), numbered("Q", 1)
    target = named(shelf, count)
    assert (target.kind, target.page, target.what) == ("count", "counts", count)
    assert target.sentence == f"Count {count}, Refrigerator 1, 02-Mar-2026, a difference, {discrepancy}"
    target = named(shelf, discrepancy)
    assert (target.kind, target.page, target.what) == ("discrepancy", "counts", discrepancy)
    assert target.sentence.startswith(f"Discrepancy {discrepancy}, open: 1 mg lot A1, vials: expected 3, counted 2")
    shelf.clock.forward(hours=4)
    typed = DeviationForm(
        place="Refrigerator 1",
        source=BY_HAND,
        logger_serial="TL-77",
        calibration_due="2026-12-31",
        discovered_at=shelf.time(),
        discovered_by="Tim Lindqvist",
        done="Vials moved to the quarantine shelf.",
        started_at=shelf.time(-180),
        ended_at=shelf.time(-60),
        min_temperature="5",
        max_temperature="11",
        answers=Answers(unit="C"),
    )
    record_deviation(shelf.desk, shelf.act("tim"), typed)
    number = numbered("X", 1)
    target = named(shelf, number)
    assert (target.kind, target.page, target.what) == ("deviation", "storage", number)
    assert target.sentence == f"Storage deviation {number}, Refrigerator 1, 02-Mar-2026, open"


def test_a_shipment_its_receipt_its_lot_and_a_subject_go_by_their_names(shelf: Pharmacy) -> None:
    shelf.enroll()
    seq = shelf.events("shipment_received")[0].seq
    for typed in ("S-1", "shipment S-1", f"rcv-{seq}"):
        target = named(shelf, typed)
        assert (target.kind, target.name, target.page, target.what) == ("shipment", "S-1", "receive", "S-1"), typed
        assert target.sentence == "Shipment S-1, 3 vials, received 02-Mar-2026, 3 awaiting release"
    for typed in ("a1", "lot A1"):
        target = named(shelf, typed)
        assert (target.kind, target.name, target.page, target.what) == ("lot", "A1", "vials", "lot A1"), typed
        assert target.sentence == "Lot A1, 1 mg, expiry 31-Mar-2027"
    subject = named(shelf, "001")
    assert (subject.kind, subject.name, subject.page, subject.what) == ("subject", "001", "subjects", "001")


def test_a_place_goes_by_its_name_and_by_the_number_on_its_label_which_it_keeps_when_it_is_closed(
    shelf: Pharmacy,
) -> None:
    act = shelf.act("paula")
    add_place(shelf.desk, act, PlaceForm("Quarantine", "quarantine shelf", "Room 2", "yes"))
    for typed in ("refrigerator 1", numbered("P", 1), f"91{numbered('P', 1)}"):
        target = named(shelf, typed)
        assert (target.kind, target.name, target.page) == ("place", "Refrigerator 1", "storage"), typed
        assert target.sentence == "Refrigerator 1, refrigerator, 3 vials there"
    close_place(shelf.desk, shelf.act("paula"), ClosePlaceForm("Refrigerator 2", "sold"))
    assert named(shelf, numbered("P", 2)).sentence == "Refrigerator 2, refrigerator, closed"
    assert named(shelf, numbered("P", 3)).sentence == "Quarantine, quarantine shelf in Room 2, 0 vials there"
    assert "There is no place" in refusal(shelf, numbered("P", 4))


def test_the_code_of_a_product_leads_to_its_lot_but_to_no_vial(shelf: Pharmacy) -> None:
    """The supporter's own code: GTIN, lot, expiry and a serial number that no receipt names as a kit."""
    typed = f"]d201{GTIN}17270331{'10A1'}{GS}21X99"
    target = named(shelf, typed)
    assert (target.kind, target.name, target.what, target.separated) == ("lot", "A1", "lot A1", True)
    fault = fault_of(lambda: vial_named(shelf, typed))
    assert fault.field == "unit_number"
    assert fault.sentence == (
        "This is no vial: Lot A1, 1 mg, expiry 31-Mar-2027. It names the lot, but no single vial. Scan the vial's own"
        " label or its kit number."
    )


# --- what is none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "word"),
    [
        ("B", "return box"),
        ("C", "destruction container"),
        ("D", "dose"),
        ("E", "medication error"),
        ("F", "document"),
        ("N", "count"),
        ("P", "place"),
        ("Q", "discrepancy"),
        ("R", "printer"),
        ("V", "vial"),
        ("X", "deviation"),
    ],
)
def test_a_number_of_another_pharmacy_is_not_here(shelf: Pharmacy, letter: str, word: str) -> None:
    number = numbered(letter, 900)
    assert refusal(shelf, number).startswith(f"There is no {word} {number} in this pharmacy. Perhaps it belongs to")


def test_a_misread_number_is_never_another_vial(shelf: Pharmacy) -> None:
    other = ONE[:6] + "2" + ONE[7]  # one digit off: the number of vial 2 with the check character of vial 1
    assert refusal(shelf, other) == f"“{other}” was misread: its check character does not fit. Scan the label again."
    fault = fault_of(lambda: vial_named(shelf, other))
    assert (fault.field, "was misread" in fault.sentence) == ("unit_number", True)


def test_a_typed_number_that_a_swap_makes_another_vial_here_is_refused(
    shelf: Pharmacy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One swap of neighbours in two hundred fits the check character: then the record says whether both are there."""
    import pharmacy_app.services.scanning as module

    monkeypatch.setattr(module, "swapped", lambda number: (TWO,) if number == ONE else ())
    assert refusal(shelf, ONE, by_hand=True).startswith(f"{ONE} and {TWO} are both here, and differ by two characters")
    assert named(shelf, ONE).name == ONE, "a scanner swaps nothing"
    monkeypatch.setattr(module, "swapped", lambda _number: (numbered("V", 900), numbered("D", 900)))
    assert named(shelf, ONE, by_hand=True).name == ONE, "there is no such other one"


def test_an_unknown_text_is_said_with_what_to_do(shelf: Pharmacy) -> None:
    assert refusal(shelf, "hello").startswith("“hello” is not a number of ours, and no kit, shipment, lot, form,")
    assert refusal(shelf, "x" * 300).startswith(f"“{'x' * 60}…” is not")
    assert "Nothing was read" in refusal(shelf, "  ")
    assert "600 characters arrived" in refusal(shelf, "K" * 600)
    number = numbered("K", 5)
    assert refusal(shelf, number) == (
        f"“{number}” is written as our numbers are, but none of ours begins with that letter."
    )


def test_a_vial_of_another_study_is_refused_by_the_protocol_in_its_code(shelf: Pharmacy) -> None:
    sentence = refusal(shelf, f"]d201{GTIN}7240OTHER-9{GS}21{ONE}")
    assert sentence.startswith("This code is of protocol OTHER-9, and this pharmacy's study is INO-LD-2. Put it aside")
    assert named(shelf, f"]d201{GTIN}7240ino-ld-2{GS}21{ONE}").name == ONE


def test_a_product_that_this_study_does_not_have(shelf: Pharmacy) -> None:
    sentence = refusal(shelf, f"01{GTIN}1727033110ZZ9")
    assert sentence == (
        f"This is the code of a product (GTIN {GTIN}, lot ZZ9, expiry 31-Mar-2027) that names no lot and no vial of"
        " this record. Scan the vial's own label or its kit number."
    )


def test_where_a_vial_is_asked_for_another_thing_is_named_and_refused(shelf: Pharmacy) -> None:
    shelf.enroll()
    dose_id = shelf.dose("ordered")
    fault = fault_of(lambda: vial_named(shelf, dose_id))
    assert fault.field == "unit_number"
    assert fault.sentence.startswith(f"This is no vial: Dose {dose_id}, subject 001,")


# --- two meanings ----------------------------------------------------------------------------------------------


def test_a_name_that_two_things_have_is_refused_naming_both_and_means_the_vial_where_one_is_asked_for(
    pharmacy: Pharmacy,
) -> None:
    pharmacy.enroll("001")
    pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "2", ("001", "002")),))
    sentence = refusal(pharmacy, "001")
    assert sentence.startswith(f"“001” is more than one thing here: Vial {ONE} (kit 001)")
    assert sentence.endswith("Subject 001. Open the one that is meant in its own room: vial or subject.")
    assert vial_named(pharmacy, "001") == ONE
    assert named(pharmacy, "subject 001").kind == "subject"


@pytest.mark.parametrize(
    "kit",
    [
        ONE,
        ONE.replace("0", "O"),
        f"21{ONE}",
        f"91{ONE}",
        f"(91){ONE}",
        ONE + mark_of("vial", ONE, 1),
        numbered("D", 1),  # the very number that our first dose gets
        numbered("P", 1),
        numbered("D", 2)[:7] + "Z",  # what a German scanner types on a US computer for dose D000002Y, and back
    ],
)
def test_a_kit_that_a_scan_could_take_for_one_of_ours_is_not_received(pharmacy: Pharmacy, kit: str) -> None:
    lot = LotTyped("1", "A1", "2027-03-31", "2", (kit, "K2"))
    with pytest.raises(Refused) as refused:
        pharmacy.receive("S-1", (lot,))
    (fault,) = refused.value.faults
    assert fault.field == "lots.0.kit_numbers"
    assert fault.sentence.startswith(f"Kit {kit} could be read as our own number ")
    assert fault.sentence.endswith(
        "so a scan of it could name the wrong thing. Leave the kit numbers of this lot empty, write them in the"
        " shipment's note, and ask the supporter; the vials go by our own labels."
    )
    assert pharmacy.vials() == []
    pharmacy.receive("S-1", (replace(lot, kit_numbers=()),))
    assert vial_named(pharmacy, ONE) == ONE


def test_a_kit_with_control_signs_would_never_be_found_and_is_not_received(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused) as refused:
        pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "1", (f"K001{GS}1",)),))
    (fault,) = refused.value.faults
    assert fault.sentence.startswith("Kit K001␣1 holds control signs, so no scan would find it.")


def test_a_kit_that_was_received_before_and_reads_as_another_vial_is_refused(
    pharmacy: Pharmacy, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pharmacy_app.services.packing_list as module

    monkeypatch.setattr(module, "why_no_kit", lambda _kit: "")
    pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "2", ("K1", f"21{ONE}")),))
    for ask in (named, vial_named):
        sentence = fault_of(lambda ask=ask: ask(pharmacy, f"21{ONE}")).sentence  # type: ignore[misc]
        assert sentence.startswith(f"“21{ONE}” is vial {ONE} by its label and vial {TWO} by its kit number.")
    assert vial_named(pharmacy, ONE) == ONE


@pytest.fixture
def yz(pharmacy: Pharmacy) -> Pharmacy:
    """Kits K00Y1 and K00Z1 of lot A1, K00Y2 of lot A1 and K00Z2 of lot A2, which ends a month later."""
    pharmacy.receive(
        "S-1",
        (
            LotTyped("1", "A1", "2027-03-31", "3", ("K00Y1", "K00Z1", "K00Y2")),
            LotTyped("1", "A2", "2027-04-30", "2", ("K00Z2", "K00Z3")),
        ),
    )
    return pharmacy


def test_two_kits_that_a_german_keyboard_swaps_are_never_guessed(yz: Pharmacy) -> None:
    """Z of a German scanner is Y on a US computer: of two such kits the wrong one would be found without a word."""
    for how in ({}, {"by_hand": True}, {"sends_separator": True}):
        for typed, other in (("K00Y1", "K00Z1"), ("K00Z1", "K00Y1"), ("k00y1", "K00Z1")):
            sentence = refusal(yz, typed, **how)
            assert sentence.startswith(f"Kits {typed.upper()} (vial ")
            assert f" and {other} (vial " in sentence
            assert sentence.endswith("scan our own label on the vial, or choose the vial in the list.")
    assert fault_of(lambda: vial_named(yz, "K00Y1")).field == "unit_number"
    # Our own labels know no such doubt.
    assert (vial_named(yz, ONE), vial_named(yz, TWO)) == (ONE, TWO)
    # The one kit without a twin is found.
    assert named(yz, "K00Z3").name == numbered("V", 5)


def test_what_tells_two_such_kits_apart(yz: Pharmacy) -> None:
    # No wrong keyboard setting leaves the scanner's own prefix as it is.
    assert (vial_named(yz, "]C0K00Y1"), vial_named(yz, "]C0K00Z1")) == (ONE, TWO)
    # The lot in the code is that of one of the two alone.
    assert vial_named(yz, f"01{GTIN}10A1{GS}21K00Y2") == THREE
    assert vial_named(yz, f"01{GTIN}10A2{GS}21K00Z2") == numbered("V", 4)
    assert "are both here" in refusal(yz, f"01{GTIN}10A1{GS}21K00Y1"), "both are of lot A1"
    # So does the expiry.
    assert vial_named(yz, f"01{GTIN}1727033121K00Y2") == THREE
    assert "are both here" in refusal(yz, f"01{GTIN}1727033121K00Y1"), "both end on the same day"
    assert "are both here" in refusal(yz, f"01{GTIN}21K00Y2"), "the product alone tells nothing"


def test_kits_alike_are_a_finding_at_the_receipt_that_stops_no_delivery(yz: Pharmacy) -> None:
    with yz.desk.store.read() as reader:
        line = reader.shipment("S-1")
    assert line is not None
    assert line.condition == (
        "lot A1 intact; kits K00Y1 and K00Z1 differ only by keys that another keyboard setting swaps, so neither goes"
        " by its kit number alone: scan our own labels; lot A2 intact; kits K00Y2 and K00Z2 differ only by keys that"
        " another keyboard setting swaps, so neither goes by its kit number alone: scan our own labels"
    )
    scanned = filled(yz, replace(EMPTY, kit_numbers=("K00Z7",)), "K00Y7")
    assert scanned.lot.kit_numbers == ("K00Z7", "K00Y7")
    assert scanned.notes[-1].startswith("Kits K00Y7 and K00Z7 differ only by keys")
    assert filled(yz, EMPTY, "K00Y3").notes[-1].startswith("Kits K00Y3 and K00Z3 differ"), "one is on record already"
    assert filled(yz, EMPTY, "K00Y9").notes == ()


def test_a_second_code_glued_to_a_label_names_nothing(shelf: Pharmacy) -> None:
    shelf.enroll()
    dose_id = shelf.dose("ordered")
    other = numbered("D", 2)
    glued = f"91{dose_id}{GS}92{mark_of('bag', dose_id, 1)}{other}{mark_of('bag', other, 1)}"
    assert refusal(shelf, glued).startswith("Two codes arrived as one: in (92) ")
    assert "is not the mark of a label of" in refusal(shelf, f"21{ONE}{GS}92V01")
    assert "which was never printed here" in refusal(shelf, f"91{dose_id}{GS}92{mark_of('bag', dose_id, 1)}")


def test_lot_and_serial_glued_together_without_the_separator_are_not_guessed(shelf: Pharmacy) -> None:
    """(10)A1 (21)K7701 without its separator is also the lot A121K7701; no number of ours settles it."""
    typed = f"01{GTIN}10A121K7701"
    assert "can be read in several ways" in refusal(shelf, typed)
    # A scanner that is known to send the separator has left none out: then it is all one lot, and no vial's.
    assert "lot A121K7701" in refusal(shelf, typed, sends_separator=True)
    assert "several ways" in fault_of(lambda: vial_named(shelf, typed)).sentence
    target = named(shelf, f"01{GTIN}10A1{GS}21K7701")
    assert (target.name, target.separated) == (ONE, True)


def test_our_own_number_settles_a_code_that_lost_its_separator(shelf: Pharmacy) -> None:
    target = named(shelf, f"01{GTIN}10A121{ONE}")
    assert (target.name, target.separated) == (ONE, False)
    assert "drops the separator" in target.notes[0]


# --- put right and said ----------------------------------------------------------------------------------------


def test_caps_lock_is_noted(shelf: Pharmacy) -> None:
    target = named(shelf, ONE.lower())
    assert target.name == ONE
    assert target.notes == ("Caps Lock was on: capitals and small letters were exchanged. Switch Caps Lock off.",)
    # A hand that types small letters is no Caps Lock.
    assert named(shelf, ONE.lower(), by_hand=True).notes == ()
    assert named(shelf, ONE).notes == ()


def test_a_kit_on_another_countrys_keyboard_is_refused_with_the_cause(pharmacy: Pharmacy) -> None:
    """K-7701 from a German scanner on a US keyboard comes as K/7701: a kit code has no check character to prove it."""
    pharmacy.receive("S-1", (replace(KITS, kit_numbers=("K-7701 to K-7703",)),))
    sentence = refusal(pharmacy, "K/7701")
    assert "K/7701" in sentence
    assert "keyboard" in sentence
    assert named(pharmacy, "K-7701").name == ONE


def test_a_code_that_says_another_lot_or_expiry_than_the_record_is_put_aside(shelf: Pharmacy) -> None:
    assert "says lot A2, the record says lot A1" in refusal(shelf, f"01{GTIN}10A2{GS}21{ONE}")
    for ask in (named, vial_named):
        fault = fault_of(lambda ask=ask: ask(shelf, f"01{GTIN}1727043021{ONE}"))  # type: ignore[misc]
        assert "says expiry 30-Apr-2027, the record says 31-Mar-2027" in fault.sentence
    assert named(shelf, f"01{GTIN}1727033110a1{GS}21{ONE}").notes == ()


def test_a_code_from_before_the_expiry_was_extended_is_let_pass_and_said(shelf: Pharmacy) -> None:
    form = ExpiryForm("1", "A1", "2027-09-30", shelf.permission())
    extend_expiry(shelf.desk, shelf.act("paula"), form, shelf.sign("paula"))
    target = named(shelf, f"01{GTIN}1727033121{ONE}")
    assert target.name == ONE
    assert target.notes == ("The code still says expiry 31-Mar-2027; it was extended to 30-Sep-2027.",)


# --- the supporter's kits ----------------------------------------------------------------------------------------


def test_a_kit_that_no_receipt_names_is_known_for_what_it_is(shelf: Pharmacy) -> None:
    for typed in ("K7799", "k7799", "]C0K7799", f"]d201{GTIN}21K7799"):
        sentence = refusal(shelf, typed)
        assert sentence.startswith("“K7799” is a kit code of the supporter, as those of shipment S-1, that no"), typed
    assert refusal(shelf, "k7799", by_hand=True).startswith("“K7799” is a kit code of the supporter")
    fault = fault_of(lambda: vial_named(shelf, "K7799"))
    assert (fault.field, "that no receipt names" in fault.sentence) == ("unit_number", True)
    for typed in ("K779", "L7799", "K779A"):  # another length, beginning, class
        assert "is not a number of ours" in refusal(shelf, typed)


def test_kit_forms_are_learnt_from_what_was_received_and_name_the_newest_shipment(shelf: Pharmacy) -> None:
    def forms() -> list[tuple[str, str, str]]:
        with shelf.desk.store.read() as reader:
            return [(form.pattern.prefix, form.pattern.rest, form.shipment) for form in kit_forms(reader)]

    assert forms() == [("K", "9999", "S-1")]
    shelf.receive("S-2", (LotTyped("4", "B1", "2027-06", "2", ("AB-01", "AB-02")),))
    shelf.receive("S-3", (LotTyped("4", "B1", "2027-06", "1", ("LONELY1",)),))  # one kit shows no form
    shelf.receive("S-4", (LotTyped("1", "A1", "2027-03-31", "1", ("K8800",)),))
    assert forms() == [("K", "9999", "S-4"), ("AB-", "99", "S-2")]
    shelf.receive("S-5", (LotTyped("1", "A1", "2027-03-31", "2"),))
    assert forms() == [("K", "9999", "S-4"), ("AB-", "99", "S-2")]


def test_kits_that_look_like_our_numbers_teach_nothing(pharmacy: Pharmacy) -> None:
    """D0001234 is eight characters, a D first: a scan of it can never be told from one of our doses."""
    pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "2", ("D0001234", "D0001235")),))
    with pharmacy.desk.store.read() as reader:
        assert kit_forms(reader) == ()
    # On record they are found all the same; unknown ones are not believed.
    assert check_character("D000123") not in "45"
    assert vial_named(pharmacy, "D0001234") == ONE
    assert "misread" in refusal(pharmacy, "D0001236" if check_character("D000123") != "6" else "D0001237")


def test_the_same_kit_in_two_shipments_is_refused_naming_the_first(shelf: Pharmacy) -> None:
    with pytest.raises(Refused) as refused:
        shelf.receive("S-2", (replace(KITS, count="1", kit_numbers=("k7702",)),))
    (fault,) = refused.value.faults
    assert fault.field == "lots.0.kit_numbers"
    assert fault.sentence == (
        f"Kit K7702 is there twice: it came with shipment S-1 and is vial {TWO}. Each kit number is received once."
    )


# --- lists of vials, and counts ------------------------------------------------------------------------------------


def test_the_vials_of_a_list_are_named_by_any_of_their_numbers_each_once(shelf: Pharmacy) -> None:
    def of(*typed: str) -> tuple[list[Vial], list[Fault]]:
        reading = Reading()
        with shelf.desk.store.read() as reader:
            return vials_named(reading, reader, typed, TODAY), reading.faults

    vials, faults = of(TWO, "K7702", f"91{ONE}", ONE)
    assert ([vial.unit_number for vial in vials], faults) == ([TWO, ONE], [])
    vials, faults = of(ONE, "hello", numbered("V", 900))
    assert [vial.unit_number for vial in vials] == [ONE]
    assert [(fault.field, fault.sentence[:20]) for fault in faults] == [
        ("unit_numbers", "“hello” is not a num"),
        ("unit_numbers", "There is no vial V00"),
    ]
    assert [fault.sentence for fault in of()[1]] == ["No vial is chosen. Scan or choose at least one."]


def test_a_vial_is_missed_by_its_kit_number(shelf: Pharmacy) -> None:
    miss_vials(shelf.desk, shelf.act("tim"), LossForm(("K7703",), "searched"), shelf.sign("tim"), shelf.sign("carla"))
    assert shelf.vial(THREE).state == "missing"


def test_a_count_takes_the_same_codes_and_keeps_the_reason_of_those_that_are_none(shelf: Pharmacy) -> None:
    with shelf.desk.store.read() as reader:
        assert look_up(reader, f"01{GTIN}10A1{GS}21K7701", TODAY).unit_number == ONE
        scanned = look_up(reader, "K7799", TODAY)
    assert (scanned.unit_number, scanned.code) == ("", "K7799")
    assert "that no receipt names" in scanned.unknown


# --- a receipt filled by scans ---------------------------------------------------------------------------------------

EMPTY = LotTyped("1", "", "", "2")


def filled(pharmacy: Pharmacy, typed: LotTyped, code: str, **how: bool) -> LotScanned:
    with pharmacy.desk.store.read() as reader:
        return scan_lot(reader, typed, code, TODAY, **how)


def test_a_scan_of_the_supporters_code_fills_kit_lot_and_expiry_and_the_next_adds_its_kit(pharmacy: Pharmacy) -> None:
    first = filled(pharmacy, EMPTY, f"]d201{GTIN}17270331{'10A1'}{GS}21K7701")
    assert first == LotScanned(LotTyped("1", "A1", "2027-03-31", "2", ("K7701",)), (), True)
    second = filled(pharmacy, first.lot, f"]d201{GTIN}17270331{'10a1'}{GS}21K7702")
    assert second.lot == replace(first.lot, kit_numbers=("K7701", "K7702"))
    third = filled(pharmacy, second.lot, "]C0k7703")  # the bar code beside it holds the kit alone
    assert third.lot.kit_numbers == ("K7701", "K7702", "K7703")
    pharmacy.receive("S-1", (replace(third.lot, count="3"),))
    assert [vial.kit_number for vial in pharmacy.vials()] == ["K7701", "K7702", "K7703"]


def test_a_month_alone_is_its_last_day(pharmacy: Pharmacy) -> None:
    assert filled(pharmacy, EMPTY, f"01{GTIN}17270200").lot.expiry == "2027-02-28"


def test_a_scan_never_changes_what_was_typed(pharmacy: Pharmacy) -> None:
    typed = LotTyped("1", "A1", "2027-03", "2")
    assert filled(pharmacy, typed, f"01{GTIN}17270331{'10A1'}{GS}21K1").lot == replace(typed, kit_numbers=("K1",))
    fault = fault_of(lambda: filled(pharmacy, typed, f"01{GTIN}17270331{'10A2'}{GS}21K1"))
    assert (fault.field, "“A2”" in fault.sentence, "“A1”" in fault.sentence) == ("lot", True, True)
    fault = fault_of(lambda: filled(pharmacy, typed, f"01{GTIN}17270430{'10A1'}{GS}21K1"))
    assert (fault.field, "30-Apr-2027" in fault.sentence, "31-Mar-2027" in fault.sentence) == ("expiry", True, True)
    # What cannot be read yet stays for the person to put right.
    half = replace(typed, expiry="31/03")
    assert filled(pharmacy, half, f"01{GTIN}17270331{'10A1'}{GS}21K1").lot.expiry == "31/03"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ONE, "is one of our own numbers"),
        (f"91{ONE}", "is one of our own numbers"),
        (f"01{GTIN}21{numbered('D', 2)[:7]}Z", f"could be read as our own number {numbered('D', 2)}"),
        ("K7702", f"it came with shipment S-1 and is vial {TWO}"),
        ("K7705", "Kit K7705 was scanned already"),
        (f"01{GTIN}", "holds neither kit number nor lot nor expiry"),
        (f"01{GTIN}10A121K7709", "can be read in several ways"),
        (f"]d201{GTIN}7240OTHER-9{GS}21K7709", "is of protocol OTHER-9"),
        ("V0000019", "was misread"),
        ("", "Nothing was read"),
    ],
)
def test_codes_that_a_receipt_does_not_take(shelf: Pharmacy, code: str, words: str) -> None:
    typed = replace(EMPTY, kit_numbers=("K7704 to K7706",))
    fault = fault_of(lambda: filled(shelf, typed, code))
    assert fault.field == "kit_numbers"
    assert words in fault.sentence


def test_every_vial_of_a_released_shipment_is_found_and_usable(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up(lots=(LotTyped("4", "B1", "2027-06", "2"),))
    assert [named(pharmacy, unit).sentence for unit in units] == [
        f"Vial {unit}, 4 mg, lot B1, expiry 30-Jun-2027, usable, in Refrigerator 1" for unit in units
    ]
    assert pharmacy.vial(units[0]).strength_mg == Decimal(4)
