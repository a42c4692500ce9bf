"""Entries verified one by one or many at once, and the later entries that open their review again.

Every test begins on Monday, 2 March 2026, 08:00 in Chicago, with Mona's visit open.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.review import Reason
from pharmacy_app.services.accounts import AccountChange, change_account
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.desk import Act
from pharmacy_app.services.disposition import AccountForm, LossForm, account_for, break_vials
from pharmacy_app.services.doses import DecideForm, record_decision
from pharmacy_app.services.labelling import OutcomeForm, VoidForm, print_outcome, print_vial_labels, void_label
from pharmacy_app.services.ports import LedgerFilter, ReviewFilter
from pharmacy_app.services.printing import PrintForm
from pharmacy_app.services.receipts import LoggerForm, logger_read
from pharmacy_app.services.reviews import (
    MOST_AT_ONCE,
    Chosen,
    Seen,
    VerifyForm,
    chosen,
    seen,
    verified_words,
    verify_entries,
)
from pharmacy_app.services.stock import QuarantineForm, quarantine
from pharmacy_app.services.storage import UpdateForm, record_deviation, update_deviation
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.treatment import WithdrawForm, withdraw
from tests.services.leaving import faults_of, one_fault
from tests.services.monitoring import ask, entry, newest, plan, second_monitor, sign, verify, visit, visiting
from tests.services.pharmacy import Pharmacy
from tests.services.test_medication_errors import assess, report
from tests.services.test_storage import by_hand


@pytest.fixture
def number(pharmacy: Pharmacy) -> str:
    """Mona's open visit, in a pharmacy with ten vials and a subject."""
    pharmacy.stock_up()
    pharmacy.enroll()
    return visiting(pharmacy)


def status(pharmacy: Pharmacy, seq: int) -> str:
    """How the review of an entry stands."""
    return entry(pharmacy, seq).mark.status


def reasons(pharmacy: Pharmacy, seq: int) -> list[Reason]:
    """Why an entry deserves a look."""
    return [said.reason for said in entry(pharmacy, seq).reasons]


def weigh(pharmacy: Pharmacy, seq: int, weight: str) -> Event:
    """Correct a weight."""
    form = CorrectForm(seq, "misread", (("weight", weight),))
    return correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))


# --- verifying ---------------------------------------------------------------------------------------------------


def test_an_entry_is_verified_with_initials_and_day(pharmacy: Pharmacy, number: str) -> None:
    received = newest(pharmacy, "shipment_received")
    assert status(pharmacy, received) == "unseen"
    event = verify(pharmacy, number, received)
    mark = entry(pharmacy, received).mark
    assert (mark.status, mark.verified_by, mark.initials, mark.visit) == ("verified", "Mona Sorensen", "MS", number)
    (kept,) = event.content["entries"]
    with pharmacy.desk.store.read() as reader:
        assert kept == {"seq": received, "hash": reader.event_hash(received), "touched_seq": None, "touched_hash": ""}
    pharmacy.assert_sound()


def test_the_ledger_says_who_verified_which_line(pharmacy: Pharmacy, number: str) -> None:
    verify(pharmacy, number, newest(pharmacy, "shipment_received"))
    with pharmacy.desk.store.read() as reader:
        site = reader.site()
        lines = reader.ledger(LedgerFilter(), offset=0, limit=10)
        marks = reader.review_marks([line.event_seq for line in lines])
    assert site is not None
    words = {line.move: verified_words(marks.get(line.event_seq), site) for line in lines}
    assert words == {"receive": "MS 02-Mar-2026", "release": ""}
    assert verified_words(None, site) == ""


def test_the_day_of_a_verification_is_the_sites(pharmacy: Pharmacy, number: str) -> None:
    pharmacy.clock.forward(hours=15)  # 23:00 in Chicago, already Tuesday in London
    verify(pharmacy, number, newest(pharmacy, "shipment_received"))
    with pharmacy.desk.store.read() as reader:
        marks = reader.review_marks([newest(pharmacy, "shipment_received")])
        site = reader.site()
    assert site is not None
    assert verified_words(next(iter(marks.values())), site) == "MS 02-Mar-2026"


def test_many_are_verified_at_once_and_what_is_wrong_with_any_is_said_of_each(pharmacy: Pharmacy, number: str) -> None:
    received, released = newest(pharmacy, "shipment_received"), newest(pharmacy, "vials_released")
    verify(pharmacy, number, received)
    bad = (
        Seen(received, entry(pharmacy, received).hash),
        Seen(released, entry(pharmacy, released).hash),
        Seen(newest(pharmacy, "signed_in"), ""),
        Seen(9999, ""),
        Seen(0, ""),
    )
    faults = faults_of(lambda: verify_entries(pharmacy.desk, pharmacy.act("mona"), VerifyForm(number, bad)))
    assert [(fault.field.removeprefix("entries."), fault.sentence) for fault in faults] == [
        (
            str(received),
            f"Entry {received} was verified by Mona Sorensen on 02-Mar-2026 08:00 and has not changed since.",
        ),
        (
            str(bad[2].seq),
            f"Entry {bad[2].seq} is not reviewed: it is coming and going: no fact of stock, subject or dose.",
        ),
        ("9999", "There is no entry 9999 in the journal."),
        ("0", "There is no entry 0 in the journal."),
    ]
    assert status(pharmacy, released) == "unseen"
    verify(pharmacy, number, released, newest(pharmacy, "subject_enrolled"))
    assert status(pharmacy, released) == "verified"


def test_nothing_twice_and_too_many_are_refused(pharmacy: Pharmacy, number: str) -> None:
    received = newest(pharmacy, "shipment_received")
    once = Seen(received, entry(pharmacy, received).hash)

    def tried(*entries: Seen) -> Callable[[], Event]:
        return lambda: verify_entries(pharmacy.desk, pharmacy.act("mona"), VerifyForm(number, entries))

    one_fault(tried(), "entries", "No entry is chosen")
    one_fault(tried(once, once), "entries", "chosen twice")
    too_many = tuple(Seen(seq, "") for seq in range(1, MOST_AT_ONCE + 2))
    one_fault(tried(*too_many), "entries", "501 entries are too many at once. Verify 500 at most.")


def test_an_entry_that_another_monitor_verified_says_so(pharmacy: Pharmacy, number: str) -> None:
    second_monitor(pharmacy)
    his = visiting(pharmacy, "nils")
    received = newest(pharmacy, "shipment_received")
    read_by_both = seen([entry(pharmacy, received)])
    verify_entries(pharmacy.desk, pharmacy.act("nils"), VerifyForm(his, read_by_both))
    one_fault(
        lambda: verify_entries(pharmacy.desk, pharmacy.act("mona"), VerifyForm(number, read_by_both)),
        f"entries.{received}",
        "was verified by Nils Berger",
    )


def test_the_monitors_own_entry_is_verified_by_another(pharmacy: Pharmacy, number: str) -> None:
    report(pharmacy, who="mona")
    own = newest(pharmacy, "medication_error_recorded")
    one_fault(lambda: verify(pharmacy, number, own), f"entries.{own}", "yourself. Another monitor verifies it.")
    second_monitor(pharmacy)
    verify(pharmacy, visiting(pharmacy, "nils"), own, who="nils")
    assert status(pharmacy, own) == "verified"


def test_who_signed_an_entry_as_the_second_person_does_not_verify_it_as_a_monitor(
    pharmacy: Pharmacy, number: str
) -> None:
    """Nils was a checker and saw the vial break; he is a monitor by now."""
    second_monitor(pharmacy)
    pharmacy.act("nils")
    nils = pharmacy.sessions["nils"].account_id

    def becomes(role: str) -> None:
        change_account(
            pharmacy.desk, pharmacy.act("robin"), AccountChange(nils, (role,), pharmacy.day(), "", True, "x")
        )
        pharmacy.sessions.pop("nils", None)

    becomes("checker")
    unit, other = (vial.unit_number for vial in pharmacy.vials()[:2])
    for each, second in ((unit, "nils"), (other, "carla")):
        own, witness = pharmacy.sign("tim"), pharmacy.sign(second)
        break_vials(pharmacy.desk, pharmacy.act("tim"), LossForm((each,), "it fell"), own, witness)
    becomes("monitor")
    seen_by_nils, seen_by_carla = (event.seq for event in pharmacy.events("vials_broken"))
    his = visiting(pharmacy, "nils")
    words = f"You recorded or signed entry {seen_by_nils} yourself. Another monitor verifies it."
    one_fault(lambda: verify(pharmacy, his, seen_by_nils, who="nils"), f"entries.{seen_by_nils}", words)
    verify(pharmacy, his, seen_by_carla, who="nils")
    verify(pharmacy, number, seen_by_nils)

    def accounts(who: str, *units: str) -> Event:
        return account_for(pharmacy.desk, pharmacy.act(who), AccountForm(units), pharmacy.sign(who))

    words = f"You recorded or signed entry {seen_by_nils} of vial {unit} yourself. Another monitor accounts for it."
    one_fault(lambda: accounts("nils", unit, other), "unit_numbers", words)
    accounts("nils", other)
    accounts("mona", unit)


@pytest.mark.parametrize("who", ["paula", "tim", "carla", "robin"])
def test_nobody_but_a_monitor_verifies(pharmacy: Pharmacy, number: str, who: str) -> None:
    one_fault(lambda: verify(pharmacy, number, newest(pharmacy, "shipment_received"), who=who), "", "takes a monitor")


def test_verified_is_in_an_open_visit_of_ones_own(pharmacy: Pharmacy, number: str) -> None:
    received = newest(pharmacy, "shipment_received")
    second_monitor(pharmacy)
    one_fault(lambda: verify(pharmacy, number, received, who="nils"), "visit", "is Mona Sorensen's")
    one_fault(lambda: verify(pharmacy, plan(pharmacy), received), "visit", "VIS-2 is not open yet")
    sign(pharmacy, number)
    one_fault(lambda: verify(pharmacy, number, received), "visit", "VIS-1 was signed and stays as it is. Open a new")
    verify(pharmacy, visiting(pharmacy), received)


def test_the_same_act_again_verifies_once(pharmacy: Pharmacy, number: str) -> None:
    received = newest(pharmacy, "shipment_received")
    form = VerifyForm(number, seen([entry(pharmacy, received)]))
    act = pharmacy.act("mona")
    once = verify_entries(pharmacy.desk, act, form)
    count = pharmacy.count()
    assert verify_entries(pharmacy.desk, Act(act.session, act.act_id), form) == once
    with pytest.raises(Refused, match="recorded already, with other content"):
        verify_entries(pharmacy.desk, Act(act.session, act.act_id), replace(form, note="other"))
    assert pharmacy.count() == count


# --- changed since -----------------------------------------------------------------------------------------------


def test_what_was_corrected_between_reading_and_verifying_is_read_again(pharmacy: Pharmacy, number: str) -> None:
    measured = newest(pharmacy, "measurement_recorded")
    read = seen([entry(pharmacy, measured)])
    corrected = weigh(pharmacy, measured, "71")
    one_fault(
        lambda: verify_entries(pharmacy.desk, pharmacy.act("mona"), VerifyForm(number, read)),
        f"entries.{measured}",
        f"Entry {measured} was changed by entry {corrected.seq} of Tim Lindqvist since you read it.",
    )
    event = verify(pharmacy, number, measured)
    (kept,) = event.content["entries"]
    assert kept["touched_seq"] == corrected.seq
    assert status(pharmacy, measured) == "verified"


def test_a_hash_of_something_else_verifies_nothing(pharmacy: Pharmacy, number: str) -> None:
    received = newest(pharmacy, "shipment_received")
    form = VerifyForm(number, (Seen(received, "0" * 64),))
    one_fault(
        lambda: verify_entries(pharmacy.desk, pharmacy.act("mona"), form),
        f"entries.{received}",
        "was changed since you read it",
    )


def test_a_correction_opens_the_review_again_and_a_correction_of_it_once_more(pharmacy: Pharmacy, number: str) -> None:
    measured = newest(pharmacy, "measurement_recorded")
    verify(pharmacy, number, measured)
    first = weigh(pharmacy, measured, "71")
    found = entry(pharmacy, measured)
    assert (found.mark.status, found.mark.touched_seq) == ("reopened", first.seq)
    assert found.touched is not None
    assert (found.touched.kind, found.touched.why) == ("measurement_corrected", "misread")
    with pharmacy.desk.store.read() as reader:
        site = reader.site()
        assert site is not None
        assert verified_words(found.mark, site) == f"MS 02-Mar-2026, changed since by entry {first.seq}"
    verify(pharmacy, number, measured, first.seq)
    second = weigh(pharmacy, first.seq, "72")
    assert entry(pharmacy, measured).mark.touched_seq == second.seq
    assert (status(pharmacy, measured), status(pharmacy, first.seq)) == ("reopened", "reopened")
    verify(pharmacy, number, measured)
    with pharmacy.desk.store.read() as reader:
        assert [each.visit for each in reader.verifications(measured)] == [number] * 3
    pharmacy.assert_sound()


def _move_taken_back(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    quarantine(pharmacy.desk, pharmacy.act("tim"), QuarantineForm((pharmacy.vials()[0].unit_number,), "dropped"))
    seq = newest(pharmacy, "vials_quarantined")
    form = CorrectForm(seq, "another vial fell")
    return seq, lambda: correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))


def _label_voided(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    seq = newest(pharmacy, "paper_printed")
    return seq, lambda: void_label(pharmacy.desk, pharmacy.act("tim"), VoidForm(seq, 1, "torn"))


def _jammed(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    unit = pharmacy.vials()[0].unit_number
    print_vial_labels(pharmacy.desk, pharmacy.act("tim"), PrintForm((unit,), "the first one tore"))
    seq = newest(pharmacy, "paper_printed")
    form = OutcomeForm(seq, "1", "jam")
    return seq, lambda: print_outcome(pharmacy.desk, pharmacy.act("tim"), form)


def _nothing_came_out(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    unit = pharmacy.vials()[0].unit_number
    print_vial_labels(pharmacy.desk, pharmacy.act("tim"), PrintForm((unit,), "the first one tore"))
    seq = newest(pharmacy, "paper_printed")
    form = OutcomeForm(seq, "", "no paper", nothing=True)
    return seq, lambda: print_outcome(pharmacy.desk, pharmacy.act("tim"), form)


def _weight_behind_a_decision(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    pharmacy.dose("decided")
    measured = newest(pharmacy, "measurement_recorded")
    return newest(pharmacy, "dose_decided"), lambda: weigh(pharmacy, measured, "71")


def _weight_behind_a_given_dose(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    pharmacy.dose("given")
    measured = newest(pharmacy, "measurement_recorded")
    return newest(pharmacy, "dose_administered"), lambda: weigh(pharmacy, measured, "71")


def _birth_behind_a_decision(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    pharmacy.dose("decided")
    form = CorrectForm(newest(pharmacy, "subject_enrolled"), "misread", (("birth", "1955"),))
    seq = newest(pharmacy, "dose_decided")
    return seq, lambda: correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))


def _deviation_updated(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    pharmacy.clock.forward(hours=6)
    event = record_deviation(pharmacy.desk, pharmacy.act("tim"), by_hand(pharmacy, "3", "11"))
    form = UpdateForm(event.content["deviation_id"], "door left open", "alarm set")
    return event.seq, lambda: update_deviation(pharmacy.desk, pharmacy.act("tim"), form)


def _statement_withdrawn(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    seq = newest(pharmacy, "marrow_recorded")
    return seq, lambda: withdraw(pharmacy.desk, pharmacy.act("paula"), WithdrawForm("001", seq, "another subject"))


def _criteria_again(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    return newest(pharmacy, "criteria_recorded"), pharmacy.criteria


def _decided_again(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    dose = pharmacy.dose("decided")
    seq = newest(pharmacy, "dose_decided")
    return seq, lambda: record_decision(pharmacy.desk, pharmacy.act("paula"), DecideForm(dose))


def _cancelled(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    dose = pharmacy.dose("planned")
    return newest(pharmacy, "vials_reserved"), lambda: pharmacy.cancel(dose)


def _assessed(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    report(pharmacy)
    return newest(pharmacy, "medication_error_recorded"), lambda: assess(pharmacy)


def _assessed_again(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    report(pharmacy)
    seq = assess(pharmacy).seq
    return seq, lambda: assess(pharmacy, reason="the harm was found out later")


def _logger_read(pharmacy: Pharmacy) -> tuple[int, Callable[[], Event]]:
    pharmacy.receive("S-2", logger_state="not read", min_celsius="", max_celsius="")
    seq = newest(pharmacy, "shipment_received")
    form = LoggerForm("S-2", "TL-77", "no alarm", "3.1", "6.4")
    return seq, lambda: logger_read(pharmacy.desk, pharmacy.act("tim"), form)


@pytest.mark.parametrize(
    "change",
    [
        _move_taken_back,
        _label_voided,
        _jammed,
        _nothing_came_out,
        _weight_behind_a_decision,
        _weight_behind_a_given_dose,
        _birth_behind_a_decision,
        _deviation_updated,
        _statement_withdrawn,
        _criteria_again,
        _decided_again,
        _cancelled,
        _assessed,
        _assessed_again,
        _logger_read,
    ],
)
def test_what_is_set_anew_is_reviewed_again(
    pharmacy: Pharmacy, number: str, change: Callable[[Pharmacy], tuple[int, Callable[[], Event]]]
) -> None:
    seq, act = change(pharmacy)
    untouched = newest(pharmacy, "vials_released")
    verify(pharmacy, number, seq, untouched)
    event = act()
    assert entry(pharmacy, seq).mark.touched_seq == event.seq
    assert status(pharmacy, seq) == "reopened"
    assert status(pharmacy, untouched) == "verified"
    pharmacy.assert_sound()


def test_only_what_was_decided_by_the_wrong_weight_is_reviewed_again(pharmacy: Pharmacy, number: str) -> None:
    """Another height or weight, of the next day, was taken by no dose; the correction of the right one, by this."""
    pharmacy.dose("closed")
    used, decided = newest(pharmacy, "measurement_recorded"), newest(pharmacy, "dose_decided")
    given, ordered = newest(pharmacy, "dose_administered"), newest(pharmacy, "dose_ordered")
    pharmacy.clock.forward(days=1)
    record_measurement(pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight="70.5"))
    verify(pharmacy, number, decided, given, ordered)
    weigh(pharmacy, newest(pharmacy, "measurement_recorded"), "70.6")
    assert {status(pharmacy, seq) for seq in (decided, given, ordered)} == {"verified"}
    first = weigh(pharmacy, used, "71")
    assert [status(pharmacy, seq) for seq in (decided, given, ordered)] == ["reopened", "reopened", "verified"]
    verify(pharmacy, number, decided, given)
    # What takes the place of the correction changes once more what it has changed.
    second = weigh(pharmacy, first.seq, "72")
    assert {entry(pharmacy, seq).mark.touched_seq for seq in (decided, given)} == {second.seq}
    pharmacy.assert_sound()


# --- choosing ----------------------------------------------------------------------------------------------------


def about(pharmacy: Pharmacy, **typed: str) -> list[str]:
    """The kinds of the entries chosen, in the journal's order."""
    with pharmacy.desk.store.read() as reader:
        wanted = chosen(reader, Chosen(**typed), ReviewFilter())
        return [each.event.kind for each in reader.review_entries(wanted, by_risk=False, offset=0, limit=1000)]


def test_entries_are_chosen_by_what_they_are_about(pharmacy: Pharmacy, number: str) -> None:
    dose = pharmacy.dose("closed")
    used = pharmacy.thread(dose).mg[0].unit_number
    of_vial = ["shipment_received", "paper_printed", "labels_scanned", "vials_released"]
    of_dose = [
        "dose_ordered",
        "dose_decided",
        "vials_reserved",
        "dose_verified",
        "paper_printed",
        "dose_prepared",
        "paper_printed",
        "labels_scanned",
        "dose_released",
        "dose_administered",
        "vials_closed",
    ]
    assert about(pharmacy, about=dose) == of_dose
    assert about(pharmacy, about="001") == [
        "subject_enrolled",
        "marrow_recorded",
        "criteria_recorded",
        "measurement_recorded",
        *of_dose,
    ]
    assert about(pharmacy, about=used) == [*of_vial, "vials_reserved", "dose_prepared", "vials_closed"]
    moves = ["shipment_received", "vials_released", "vials_reserved", "dose_prepared", "vials_closed"]
    assert about(pharmacy, about="lot A1") == about(pharmacy, about="refrigerator 1") == moves
    assert about(pharmacy, about="lot A1, 1 mg") == moves
    assert about(pharmacy, about="S-1") == ["shipment_received", "vials_released"]


def test_entries_are_chosen_by_ledger_line_and_by_days_both_included(pharmacy: Pharmacy, number: str) -> None:
    received, released = newest(pharmacy, "shipment_received"), newest(pharmacy, "vials_released")
    assert about(pharmacy, lines=f"{received}.1, {released}") == ["shipment_received", "vials_released"]
    pharmacy.clock.forward(days=1)
    record_measurement(pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", pharmacy.day(), weight="70.5"))
    tuesday, monday = pharmacy.day(), pharmacy.day(-1)
    assert about(pharmacy, from_on=tuesday, through_on=tuesday) == ["measurement_recorded"]
    assert about(pharmacy, about="001", through_on=monday)[-1] == "measurement_recorded"
    assert len(about(pharmacy, from_on=monday, through_on=tuesday)) == 1 + len(about(pharmacy, through_on=monday))
    assert about(pharmacy, from_on=pharmacy.day(1)) == []
    assert len(about(pharmacy, through_on="2099-12-31")) == len(about(pharmacy))


def test_what_cannot_be_read_of_a_choice_is_said_at_once(pharmacy: Pharmacy, number: str) -> None:
    def tried() -> list[str]:
        return about(pharmacy, about="V99", from_on="2026-03-04", through_on="2026-03-03", lines="12.x")

    assert [fault.field for fault in faults_of(tried)] == ["about", "through_on", "lines"]


def test_entries_are_asked_for_by_status_reason_and_kind(pharmacy: Pharmacy, number: str) -> None:
    received, measured = newest(pharmacy, "shipment_received"), newest(pharmacy, "measurement_recorded")
    verify(pharmacy, number, received, measured)
    weigh(pharmacy, measured, "71")
    with pharmacy.desk.store.read() as reader:

        def asked(**wanted: object) -> set[int]:
            found = ReviewFilter(**wanted)  # type: ignore[arg-type]
            seqs = {each.seq for each in reader.review_entries(found, by_risk=True, offset=0, limit=1000)}
            assert reader.count_review_entries(found) == len(seqs)
            return seqs

        assert asked(status="verified") == {received}
        assert asked(status="reopened") == {measured}
        assert asked(status="unseen") == asked() - {received, measured}
        assert asked(status="unverified") == asked() - {received}
        assert asked(reason=Reason.CORRECTION) == {newest(pharmacy, "measurement_corrected")}
        assert received in asked(reason=Reason.FIRST)
        assert asked(with_reason=True) | asked(with_reason=False) == asked()
        assert asked(kinds=("marrow_recorded",)) == {newest(pharmacy, "marrow_recorded")}
        assert asked(entries=()) == set()


# --- why an entry deserves a look, as the services record it -----------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1.46", []),
        # 9 % of 1.46 mg are 0.1314 mg, 10 % are 0.146 mg.
        ("1.3287", []),
        ("1.3286", [Reason.NEAR_LIMIT]),
        ("1.3141", [Reason.NEAR_LIMIT]),
        ("1.314", [Reason.OVER_LIMIT, Reason.ERROR]),
    ],
)
def test_a_dose_near_the_limit_and_at_it(pharmacy: Pharmacy, number: str, given: str, expected: list[Reason]) -> None:
    pharmacy.dose("given", prescribed="1.46")  # the first of the subject, given as prescribed
    pharmacy.enroll("002")
    dose = pharmacy.dose("released", "002")
    pharmacy.give(dose, given)
    assert reasons(pharmacy, newest(pharmacy, "dose_administered")) == [*expected, Reason.FIRST]


def test_reprints_and_void_labels_and_refused_tries_stand_out(pharmacy: Pharmacy, number: str) -> None:
    unit = pharmacy.vials()[0].unit_number
    print_vial_labels(pharmacy.desk, pharmacy.act("tim"), PrintForm((unit,), "smudged"))
    found = entry(pharmacy, newest(pharmacy, "paper_printed"))
    assert [(said.reason, said.words) for said in found.reasons] == [(Reason.LABEL, "smudged")]
    with pytest.raises(Refused):
        ask(pharmacy, who="tim")
    denied = entry(pharmacy, newest(pharmacy, "access_denied"))
    assert [said.reason for said in denied.reasons] == [Reason.DENIED]
    assert "takes a monitor" in denied.reasons[0].words


def test_a_visit_with_nothing_to_review_is_signed_all_the_same(pharmacy: Pharmacy, number: str) -> None:
    sign(pharmacy, number)
    sign(pharmacy, visiting(pharmacy))
    record = visit(pharmacy, "VIS-2").record
    assert record is not None
    assert (record.entries.reviewable, record.unverified, record.verified_here) == (0, (), 0)


def test_whatever_is_recorded_corrected_and_verified_the_review_stands_as_a_list_kept_by_hand(
    pharmacy: Pharmacy, number: str
) -> None:
    """Weights recorded, corrected (also corrections of corrections) and verified by chance, against plain sets."""
    dice = Random(20)
    root: dict[int, int] = {}  # the first entry of each chain of corrections
    chains: dict[int, list[int]] = {}
    verified: set[int] = set()
    reopened: set[int] = set()
    for step in range(60):
        pharmacy.clock.forward(minutes=1)
        weight = f"{70 + step % 7}.{step % 9 + 1}"
        what = dice.choice(("record", "correct", "correct", "verify", "verify"))
        if what == "record" or not chains:
            form = MeasurementForm("001", pharmacy.day(), weight=weight, confirm="scale changed")
            seq = record_measurement(pharmacy.desk, pharmacy.act("tim"), form).seq
            root[seq], chains[seq] = seq, [seq]
        elif what == "correct":
            first = dice.choice(sorted(chains))
            form_of = CorrectForm(chains[first][-1], "misread", (("weight", weight), ("confirm", "scale changed")))
            seq = correct(pharmacy.desk, pharmacy.act("tim"), form_of, pharmacy.sign("tim")).seq
            # All that stood in this chain was changed once more.
            reopened |= verified.intersection(chains[first])
            verified -= set(chains[first])
            chains[first].append(seq)
            root[seq] = first
        else:
            waiting = sorted(root.keys() - verified)
            if waiting:
                seq = dice.choice(waiting)
                verify(pharmacy, number, seq)
                verified.add(seq)
                reopened.discard(seq)
        with pharmacy.desk.store.read() as reader:
            marks = reader.review_marks(sorted(root))
        assert {seq for seq, mark in marks.items() if mark.status == "verified"} == verified
        assert {seq for seq, mark in marks.items() if mark.status == "reopened"} == reopened
    assert verified
    assert reopened
    assert max(len(chain) for chain in chains.values()) > 2
    pharmacy.assert_sound()
