"""Records of subjects, doses, people and visits, filled from the record: what a monitor takes away is what was done."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from labels import proof
from labels.papers import PdfPapers
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.accounts import AccountChange, change_account
from pharmacy_app.services.counts import DiscrepancyForm, open_discrepancy
from pharmacy_app.services.medication_errors import ErrorForm, record_error
from pharmacy_app.services.printing import (
    DARF_LAYOUT,
    SITE_LAYOUT,
    Printed,
    RecordForm,
    print_accountability_record,
    print_medication_error,
    print_treatment_calendar,
)
from pharmacy_app.services.records_doses import print_dispensing_log, print_dose
from pharmacy_app.services.records_trail import (
    TrailForm,
    content_words,
    print_audit_trail,
    print_delegation_log,
    print_discrepancy,
)
from pharmacy_app.services.records_visits import print_visit
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.services.monitoring import ask, begin, newest, plan, sign, verify, visiting
from tests.services.pharmacy import Pharmacy, StubPapers
from tests.services.test_corrections import put_right

D = Decimal


@dataclass
class Seen(StubPapers):
    """Papers that keep what they were asked to draw."""

    kept: list[Any] = field(default_factory=list)

    def _keep(self, paper: Any) -> bytes:
        self.kept.append(paper)
        return self._paper(repr(paper))

    def dispensing_log(self, log: Any) -> bytes:
        return self._keep(replace(log, lines=tuple(log.lines)))

    def dose_record(self, record: Any) -> bytes:
        return self._keep(record)

    def audit_trail(self, trail: Any) -> bytes:
        return self._keep(replace(trail, lines=tuple(trail.lines)))

    def delegation_log(self, log: Any) -> bytes:
        return self._keep(replace(log, signatures=tuple(log.signatures)))

    def discrepancy_record(self, record: Any) -> bytes:
        return self._keep(record)

    def visit_report(self, report: Any) -> bytes:
        return self._keep(replace(report, flagged=tuple(report.flagged)))

    def treatment_calendar(self, paper: Any) -> bytes:
        return self._keep(paper)

    def accountability_record(self, header: Any, lines: Any, totals: Any, stamp: Any) -> bytes:
        return self._keep((header, tuple(lines), totals, stamp))

    def darf_style_record(self, header: Any, lines: Any, totals: Any, stamp: Any) -> bytes:
        return self._keep(("DARF", header, tuple(lines), totals, stamp))


def drawn(pharmacy: Pharmacy, do: Callable[[Any], Any]) -> Any:
    """What the paper of an act holds."""
    papers = Seen()
    do(replace(pharmacy.desk, papers=papers))
    return papers.kept[-1]


@pytest.fixture
def given(pharmacy: Pharmacy) -> str:
    """The usual dose, given whole and closed; returns its number."""
    pharmacy.stock_up()
    pharmacy.enroll()
    return pharmacy.dose("closed")


def log_of(pharmacy: Pharmacy, who: str = "mona") -> Any:
    return drawn(pharmacy, lambda desk: print_dispensing_log(desk, pharmacy.act(who), "001"))


def test_the_log_has_the_usual_dose_as_it_was_calculated_made_and_given(pharmacy: Pharmacy, given: str) -> None:
    """Hand arithmetic: 1.45876… mg calculated, 1.46 mg prescribed (+0.08 %), made from two vials of 1 mg."""
    log = log_of(pharmacy)
    (line,) = log.lines
    assert (line.dose_id, line.cycle, line.day, line.weight_kg, line.height_cm) == (given, 1, 1, D(70), D(171))
    assert line.level == "N/A: cycle 1"
    assert str(line.calculated_mg).startswith("1.45876")
    assert line.prescribed_mg == D("1.46")
    assert D("0.08") < line.prescribed_percent < D("0.09")
    assert [vial.strength_mg for vial in line.vials] == [1, 1]
    assert [vial.state for vial in line.vials] == ["empty", "empty"]
    # 3.6 + 2.24 mL drawn; 0.1 residue of each and 0.34 mg discarded.
    assert (line.withdrawn_ml, line.prepared_mg, line.wasted_mg) == (D("5.84"), D("1.46"), D("0.54"))
    assert (line.administered_mg, line.administered_percent, line.not_given_mg) == (D("1.46"), 0, 0)
    assert (line.prepared_by, line.verified_by) == ("Tim Lindqvist", "Carla Okafor")
    assert (line.error, line.ended, line.corrected) == ("", "", ())
    assert log.bsa_formulas == ("Mosteller",)


def test_a_cancelled_dose_stands_in_the_log_with_its_reason(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    pharmacy.cancel(pharmacy.dose("ordered"), "the subject has a fever")
    (line,) = log_of(pharmacy).lines
    assert line.ended == "CANCELLED: the subject has a fever"
    assert (line.vials, line.administered_mg, line.calculated_mg) == ((), None, None)


def test_a_corrected_amount_is_the_value_and_the_old_one_stays_readable(pharmacy: Pharmacy, given: str) -> None:
    seq = pharmacy.thread(given).administer_seq
    assert seq is not None
    put_right(pharmacy, seq, "the pump's log says so", given="1.40")
    (line,) = log_of(pharmacy).lines
    assert line.administered_mg == D("1.40")
    (changed,) = [each for each in line.corrected if "1.46" in each.old]
    assert changed.new.startswith("1.4")
    assert changed.why == "the pump's log says so"
    put_right(pharmacy, line.corrected[0].entry, "the pump's log was of another day", given="1.45")
    (again,) = log_of(pharmacy).lines
    values = [
        (D(each.old.split()[0]), D(each.new.split()[0])) for each in again.corrected if each.label == changed.label
    ]
    assert values == [(D("1.46"), D("1.4")), (D("1.4"), D("1.45"))]
    assert again.administered_mg == D("1.45")


def test_the_weight_that_was_used_stays_the_one_that_was_used_when_it_is_corrected(
    pharmacy: Pharmacy, given: str
) -> None:
    """Given by 171 cm and 70 kg; the scale was wrong, and it was 90 kg: the height stands in both entries."""
    used = pharmacy.events("measurement_recorded")[-1].seq
    corrected = put_right(pharmacy, used, "the scale was wrong", weight="90", confirm="weighed again")
    (line,) = log_of(pharmacy).lines
    assert (line.weight_kg, line.weight_since) == (D(70), f"corrected since to 90 kg by entry {corrected.seq}")
    assert (line.height_cm, line.height_since) == (D(171), "")
    record = drawn(pharmacy, lambda desk: print_dose(desk, pharmacy.act("mona"), given))
    assert sorted((each.kind, each.typed, each.used, each.corrected_by) for each in record.measured) == [
        ("height", "171 cm", False, 0),
        ("height", "171 cm", True, corrected.seq),
        ("weight", "70 kg", True, corrected.seq),
        ("weight", "90 kg", False, 0),
    ]
    (changed,) = [each for each in record.dose.corrected if each.label == "Weight"]
    assert (changed.old, changed.new, changed.entry) == ("70", "90", corrected.seq)
    again = put_right(pharmacy, corrected.seq, "the day before", measured_on="2026-03-01", confirm="weighed again")
    (line,) = log_of(pharmacy).lines
    assert line.weight_since == f"corrected since to 90 kg of 01-Mar-2026 by entry {again.seq}"
    gone = put_right(pharmacy, again.seq, "another subject", weight="", height="")
    (line,) = log_of(pharmacy).lines
    assert (line.weight_since, line.height_since) == (f"taken back since by entry {gone.seq}",) * 2


def test_a_weight_that_was_corrected_before_the_decision_was_not_used(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    first = pharmacy.events("measurement_recorded")[-1].seq
    put_right(pharmacy, first, "typed twice", weight="70.5")
    put_right(pharmacy, newest(pharmacy, "measurement_corrected"), "it was 70 after all", weight="70")
    dose = pharmacy.dose("decided")
    record = drawn(pharmacy, lambda desk: print_dose(desk, pharmacy.act("mona"), dose))
    weights = [(each.typed, each.used) for each in record.measured if each.kind == "weight"]
    assert weights == [("70 kg", True), ("70.5 kg", False), ("70 kg", False)]
    assert record.dose.weight_since == ""


def test_a_dose_of_which_nothing_was_given_is_not_given(pharmacy: Pharmacy) -> None:
    """Half of it was reported, and then that nothing ran in: 1.46 mg are left in the bag."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose = pharmacy.dose("released")
    pharmacy.give(dose, "0.7", stopped_for="reaction", note="stopped at half")
    (line,) = log_of(pharmacy).lines
    assert (line.administered_mg, line.ended) == (D("0.7"), "")
    assert "Infusion stopped part-way for reaction." in line.comments
    put_right(pharmacy, pharmacy.thread(dose).administer_seq or 0, "nothing ran in", given="0")
    (line,) = log_of(pharmacy).lines
    assert line.ended == "NOT GIVEN: reaction."
    assert (line.administered_mg, line.administered_percent, line.started_at, line.ended_at) == (None,) * 4
    assert line.not_given_mg == D("1.46")
    assert line.comments == "stopped at half 1.46 mg left in the bag, not given."
    record = drawn(pharmacy, lambda desk: print_dose(desk, pharmacy.act("mona"), dose))
    assert (record.dose.ended, record.dose.administered_mg) == ("NOT GIVEN: reaction.", None)


@pytest.mark.parametrize("number", ["", "099", "drop table"])
def test_there_is_no_log_of_a_stranger(pharmacy: Pharmacy, number: str) -> None:
    with pytest.raises(Refused, match="is not enrolled"):
        print_dispensing_log(pharmacy.desk, pharmacy.act("mona"), number)


def test_the_dose_record_holds_every_entry_and_the_life_of_the_vials(pharmacy: Pharmacy, given: str) -> None:
    about = {event.seq for event in pharmacy.events() if given in str(event.content)}
    record = drawn(pharmacy, lambda desk: print_dose(desk, pharmacy.act("mona"), f" {given.lower()} "))
    assert {entry.entry for entry in record.entries} == about
    units = [vial.unit_number for vial in record.dose.vials]
    assert {line.unit_number for line in record.life} == set(units)
    # Received, released, reserved, opened, closed.
    assert [line.what for line in record.life if line.unit_number == units[0]] == [
        "RECEIVE",
        "RELEASE",
        "Reserve",
        "DISPENSE",
        "Close empty",
    ]
    assert {(each.kind, each.used) for each in record.measured} == {("height", True), ("weight", True)}
    assert [each.meaning for each in record.signatures] == [
        "calculated and planned the dose",
        "calculated independently and compared",
        "checked and released the bag",
    ]
    assert sum(each.withdrawn_mg for each in record.milligrams) == D("1.46")
    assert len(record.papers) >= 2


def test_there_is_no_record_of_a_dose_that_is_none(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused, match="There is no dose D9999999"):
        print_dose(pharmacy.desk, pharmacy.act("mona"), "d9999999")


# --- the trail -----------------------------------------------------------------------------------------------------


def trail_of(pharmacy: Pharmacy, **form: str) -> Any:
    return drawn(pharmacy, lambda desk: print_audit_trail(desk, pharmacy.act("mona"), TrailForm(**form)))


def test_the_whole_trail_is_every_entry_in_its_order(pharmacy: Pharmacy, given: str) -> None:
    before = pharmacy.events()
    trail = trail_of(pharmacy)
    assert [line.entry for line in trail.lines] == [event.seq for event in before]
    assert trail.count == len(before)
    assert [line.sha256 for line in trail.lines][-1] == trail.stamp.head_hash


def test_the_trail_of_a_person_is_what_that_person_did_or_signed(pharmacy: Pharmacy, given: str) -> None:
    carla = pharmacy.sessions["carla"].account_id
    trail = trail_of(pharmacy, account_id=carla)
    wanted = {
        event.seq
        for event in pharmacy.events()
        if event.actor_name == "Carla Okafor"
        or any(signed.startswith("Carla Okafor: ") for signed in event.signatures)
        or f"'account_id': '{carla}'" in str(event.content)
    }
    wanted = {seq for seq in wanted if seq <= trail.stamp.head_seq}
    assert {line.entry for line in trail.lines} == wanted
    assert 0 < len(wanted) < trail.stamp.head_seq


def test_days_are_the_site_s_and_both_ends_count(pharmacy: Pharmacy) -> None:
    """06:59 UTC is still the day before in Chicago (winter time: six hours behind)."""
    units = pharmacy.stock_up()
    pharmacy.clock.now = pharmacy.clock.now.replace(day=11, hour=4, minute=59)
    tuesday = quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((units[0],), "it fell"))
    pharmacy.clock.now = pharmacy.clock.now.replace(hour=5, minute=0)
    wednesday = quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((units[1],), "it fell too"))
    assert (tuesday.recorded_at.date(), wednesday.recorded_at.date()) == (date(2026, 3, 10), date(2026, 3, 11))
    on_tuesday = trail_of(pharmacy, from_on="2026-03-10", to_on="2026-03-10")
    assert [line.entry for line in on_tuesday.lines] == [tuesday.seq]
    since = trail_of(pharmacy, from_on="2026-03-11", kind="vials_quarantined")
    assert [line.entry for line in since.lines] == [wednesday.seq]


def test_a_text_finds_the_entries_that_hold_it(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    event = quarantine(pharmacy.desk, pharmacy.act("paula"), QuarantineForm((units[0],), "Kühlschrank war offen"))
    assert [line.entry for line in trail_of(pharmacy, text="Kühlschrank").lines] == [event.seq]


def test_neither_initials_nor_birth_stand_on_the_trail(pharmacy: Pharmacy, given: str) -> None:
    """Subject 001 has the initials RTK and was born on 17 May 1980; both were corrected."""
    put_right(pharmacy, pharmacy.events("subject_enrolled")[0].seq, initials="QXZ", birth="1981-06-18")
    lines = trail_of(pharmacy).lines
    for personal in ("RTK", "QXZ", "1980", "1981"):
        assert personal not in str([(line.values, line.changes) for line in lines])
    (enrolled,) = (line for line in lines if "enrolled" in line.what)
    assert enrolled.values.startswith("birth not printed; enrolled on 2026-03-02; initials not printed; ")
    (corrected,) = (line for line in lines if line.changes)
    assert corrected.changes == (
        ("Day or year of birth", "not printed", "not printed"),
        ("Initials", "not printed", "not printed"),
    )


def test_initials_stand_only_where_a_column_asks_for_them(pharmacy: Pharmacy) -> None:
    """The accountability record in both layouts and the dispensing log have the column (REGULATION 6.1 to 6.3)."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("closed")
    form = ErrorForm("Ordered by the old weight", "prescribing", "wrong dose", dose_id=dose_id, reached_subject="yes")
    error_id = record_error(pharmacy.desk, pharmacy.act("tim"), form).content["error_id"]
    desk = replace(pharmacy.desk, papers=PdfPapers())

    def words(printed: Printed) -> str:
        return " ".join(proof.page_texts(printed.pdf))

    for layout in (SITE_LAYOUT, DARF_LAYOUT):
        assert "RTK" in words(print_accountability_record(desk, pharmacy.act("mona"), RecordForm("1", layout=layout)))
    assert "RTK" in words(print_dispensing_log(desk, pharmacy.act("mona"), "001"))
    for printed in (
        print_dose(desk, pharmacy.act("mona"), dose_id),
        print_medication_error(desk, pharmacy.act("mona"), error_id),
        print_treatment_calendar(desk, pharmacy.act("mona"), "001"),
    ):
        assert "001" in words(printed)
        assert "RTK" not in words(printed)


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"from_on": "2026-03-11", "to_on": "2026-03-10"}, ["to_on"]),
        ({"from_on": "yesterday", "account_id": "A9999"}, ["from_on", "account_id"]),
    ],
)
def test_a_question_that_cannot_be_read_is_refused_and_nothing_recorded(
    pharmacy: Pharmacy, form: dict[str, str], fields: list[str]
) -> None:
    before = pharmacy.count()
    with pytest.raises(Refused) as refused:
        print_audit_trail(pharmacy.desk, pharmacy.act("mona"), TrailForm(**form))
    assert [fault.field for fault in refused.value.faults] == fields
    assert pharmacy.count() == before


def test_an_entry_in_words_keeps_names_and_values_and_names_what_is_too_long() -> None:
    words = content_words(
        {
            "dose_id": "D0000012",
            "may_go_on": False,
            "note": "",
            "lines": [{"lot": "A1", "counted": 3}, {"lot": "B2", "counted": 0}],
            "kinds": ["vials", "containers"],
            "sha256": "ab" * 32,
            "credential_sha256": "cd" * 32,
            "protocol_text": "x" * 161,
            "text": "w " * 200,
            "moves": [
                {"move": "release", "unit_number": unit, "from_state": "held", "to_state": "available", "place": "F1"}
                for unit in ("V000001Q", "V000002O", "V000004K")
            ],
        }
    )
    assert words.startswith(
        "dose id D0000012; may go on no; lines (lot A1, counted 3) (lot B2, counted 0); kinds vials, containers;"
        f" sha256 {'ab' * 8}…; protocol text [161 characters, SHA-256 "
    )
    assert "release V000001Q – V000002O, V000004K (held → available, F1" in words
    assert "cdcd" not in words


def test_what_a_person_typed_is_never_cut() -> None:
    """A note of 2,000 characters, and one of 200 on the last of 50 lots; the lots themselves are cut."""
    note, late = "n" * 2000, "carton sealed " * 14 + "last"
    lots = [{"lot": f"LOT-{number:03d}", "counted": 3, "difference_note": ""} for number in range(50)]
    lots[-1]["difference_note"] = late
    words = content_words({"lots": lots, "courier": "World Courier", "note": note})
    assert "lot LOT-000" in words
    assert "lot LOT-040" not in words
    assert f"characters more, in the entry itself: difference note {late}; courier World Courier; note {note}" in words


# --- progress ------------------------------------------------------------------------------------------------------


class Stopped(Exception):
    """What a person's wish to stop raises."""


def test_a_long_record_says_how_far_it_is_and_stops_without_a_trace(pharmacy: Pharmacy, given: str) -> None:
    before = pharmacy.count()
    told: list[tuple[int, int]] = []
    print_audit_trail(pharmacy.desk, pharmacy.act("mona"), TrailForm(), lambda done, total: told.append((done, total)))
    assert told == [(0, before), (before, before)]

    def stop(_done: int, _total: int) -> None:
        raise Stopped

    prints: tuple[Callable[[], Printed], ...] = (
        lambda: print_audit_trail(pharmacy.desk, pharmacy.act("mona"), TrailForm(), stop),
        lambda: print_delegation_log(pharmacy.desk, pharmacy.act("mona"), stop),
        lambda: print_accountability_record(pharmacy.desk, pharmacy.act("mona"), RecordForm("1"), stop),
    )
    for do in prints:
        with pytest.raises(Stopped):
            do()
    # The one print that came to its end.
    assert pharmacy.count() == before + 1


def test_the_second_print_of_a_record_is_counted(pharmacy: Pharmacy, given: str) -> None:
    """REGULATION E-13: a reprint says that it is one. Each layout and each lot is a record of its own."""
    forms = (RecordForm("1"), RecordForm("1"), RecordForm("1", layout=DARF_LAYOUT), RecordForm("1", lot="A1"))
    for form in forms:
        print_accountability_record(pharmacy.desk, pharmacy.act("mona"), form)
    copies = [event.content["papers"][0]["copy_number"] for event in pharmacy.events("record_printed")]
    assert copies == [1, 2, 1, 1]
    third = drawn(pharmacy, lambda desk: print_accountability_record(desk, pharmacy.act("mona"), RecordForm("1")))
    assert third[0].copy_number == 3
    calendars = [
        drawn(pharmacy, lambda desk: print_treatment_calendar(desk, pharmacy.act("mona"), "001")) for _ in range(2)
    ]
    assert [each.copy_number for each in calendars] == [1, 2]


def test_the_nine_columns_are_asked_for_by_the_layout(pharmacy: Pharmacy, given: str) -> None:
    paper = drawn(
        pharmacy,
        lambda desk: print_accountability_record(desk, pharmacy.act("mona"), RecordForm("1", layout=DARF_LAYOUT)),
    )
    other = drawn(pharmacy, lambda desk: print_accountability_record(desk, pharmacy.act("mona"), RecordForm("1")))
    assert paper[0] == "DARF"
    assert paper[1].manufacturer == "Pfizer"
    assert paper[2] == other[1]
    names = [event.content["papers"][0]["paper"] for event in pharmacy.events() if event.kind == "record_printed"]
    assert names == ["accountability record, DARF-style", "accountability record"]
    with pytest.raises(Refused, match="layout"):
        print_accountability_record(pharmacy.desk, pharmacy.act("mona"), RecordForm("1", layout="NIH"))


# --- people --------------------------------------------------------------------------------------------------------


def test_a_role_that_was_changed_is_in_force_from_its_entry_on_and_signatures_keep_the_old_one(
    pharmacy: Pharmacy, given: str
) -> None:
    signed_before = [event for event in pharmacy.events() if event.signatures]
    carla = pharmacy.sessions["carla"].account_id
    form = AccountChange(carla, ("checker", "technician"), pharmacy.day(), "", True, "trained on 1-Mar-2026")
    changed = change_account(pharmacy.desk, pharmacy.act("robin"), form)
    log = drawn(pharmacy, lambda desk: print_delegation_log(desk, pharmacy.act("mona")))
    hers = [each for each in log.delegations if each.printed_name == "Carla Okafor"]
    assert [(each.roles, each.until_entry) for each in hers][-2:] == [
        ("checker", changed.seq),
        ("checker and technician", 0),
    ]
    assert hers[-1].why == "trained on 1-Mar-2026"
    assert len(log.signatures) == sum(len(event.signatures) for event in signed_before)
    assert {each.role for each in log.signatures if each.printed_name == "Carla Okafor"} == {"checker"}
    verified = next(each for each in log.signatures if each.meaning == "calculated independently and compared")
    assert verified.about == given


def test_a_disabled_account_stays_in_the_log(pharmacy: Pharmacy) -> None:
    tim = pharmacy.sessions["tim"].account_id
    change_account(
        pharmacy.desk,
        pharmacy.act("robin"),
        AccountChange(tim, ("technician",), pharmacy.day(), pharmacy.day(30), False, "left the site"),
    )
    log = drawn(pharmacy, lambda desk: print_delegation_log(desk, pharmacy.act("mona")))
    his = [each for each in log.delegations if each.printed_name == "Tim Lindqvist"]
    assert (his[-1].standing, his[-1].until_entry) == ("disabled", 0)
    assert his[-1].delegated_to == date.fromisoformat(pharmacy.day(30))


def test_a_discrepancy_opened_by_hand_prints_open(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    form = DiscrepancyForm((units[0],), "not at its place")
    opened = open_discrepancy(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))
    number = opened.content["discrepancy"]
    record = drawn(pharmacy, lambda desk: print_discrepancy(desk, pharmacy.act("mona"), number.lower()))
    assert (record.status, record.closed_at, record.count_number) == ("open", None, "")
    assert [entry.entry for entry in record.entries] == [opened.seq]
    with pytest.raises(Refused, match="There is no discrepancy Q9"):
        print_discrepancy(pharmacy.desk, pharmacy.act("mona"), "Q9")


# --- visits --------------------------------------------------------------------------------------------------------


def test_the_visit_report_is_what_the_monitor_did_in_it(pharmacy: Pharmacy, given: str) -> None:
    number = visiting(pharmacy)
    moved = [event.seq for event in pharmacy.events() if event.kind in ("shipment_received", "vials_released")]
    verify(pharmacy, number, *moved)
    query = ask(pharmacy, "Whose initials?", entry=str(moved[0]))
    report = drawn(pharmacy, lambda desk: print_visit(desk, pharmacy.act("mona"), number.lower()))
    assert (report.verified_here, report.queries_opened, report.status) == (len(moved), 1, "open")
    assert [each.number for each in report.queries] == [query]
    first = min(moved)
    assert report.verified[0].startswith(str(first))
    assert report.reviewable == report.verified_count + report.reopened + report.unseen
    assert len(report.flagged) == report.with_reason > 0
    sign(pharmacy, number, summary="one query stays")
    again = drawn(pharmacy, lambda desk: print_visit(desk, pharmacy.act("paula"), number))
    assert (again.status, again.summary) == ("signed", "one query stays")
    assert [each.meaning for each in again.signatures] == ["reviewed the record in this visit"]


def test_verified_lines_of_the_ledger_carry_the_monitor_s_initials(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    number = visiting(pharmacy)
    received = next(event.seq for event in pharmacy.events() if event.kind == "shipment_received")
    verify(pharmacy, number, received)
    _, lines, _, _ = drawn(
        pharmacy, lambda desk: print_accountability_record(desk, pharmacy.act("mona"), RecordForm("1"))
    )
    words = {line.transaction: line.monitor_verified for line in lines}
    assert words["RECEIVE"] == "MS 02-Mar-2026"
    assert words["RELEASE"] == ""


def test_a_visit_not_opened_has_no_report(pharmacy: Pharmacy) -> None:
    number = plan(pharmacy)
    with pytest.raises(Refused, match="not open yet"):
        print_visit(pharmacy.desk, pharmacy.act("mona"), number)
    begin(pharmacy, number)
    print_visit(pharmacy.desk, pharmacy.act("mona"), number)
    with pytest.raises(Refused, match="There is no visit"):
        print_visit(pharmacy.desk, pharmacy.act("mona"), "VIS-99")
