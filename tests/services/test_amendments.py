"""Amendments: what one would change and for whom, who signs it, and that from its day on the new numbers decide."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from db.store import SqlStore
from pharmacy_app.cli import app
from pharmacy_app.domain.amendments import Difference
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services import views
from pharmacy_app.services.amendments import Amendment, AmendmentForm, amend_protocol, preview_amendment
from pharmacy_app.services.desk import Act, Denied, protocol_of
from pharmacy_app.services.doses import Decided, DecideForm, order, preview, record_decision
from pharmacy_app.services.printing import RecordForm, print_accountability_record, print_worksheet
from pharmacy_app.services.setup import shipped_protocol_text
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from tests.databases import other_hands, url_at
from tests.services.pharmacy import Pharmacy, StubPapers

SECOND = (Path(__file__).parents[1] / "data" / "second-protocol.toml").read_text("utf-8")
"""Another study's numbers, in force from 9 March 2026, a week after the tests' Monday."""

D = Decimal
MONDAY, SUNDAY, NEXT_MONDAY = date(2026, 3, 2), date(2026, 3, 8), date(2026, 3, 9)
SOURCE = "Amendment 1 of 20-Feb-2026, IRB approval 2026-117"


def shipped(*pairs: tuple[str, str], label: str = "Amendment 1", effective_on: str = "2026-03-09") -> str:
    """The shipped protocol under another label, some of its text replaced."""
    text = shipped_protocol_text()
    day = f"\neffective_on = {effective_on}" if effective_on else ""
    for old, new in (('label = "as supplied"', f'label = "{label}"{day}'), *pairs):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def amend(pharmacy: Pharmacy, text: str = SECOND, first: str = "paula", second: str = "carla", **changes: Any) -> Event:
    form = replace(AmendmentForm(text, SOURCE), **changes)
    return amend_protocol(pharmacy.desk, pharmacy.act(first), form, pharmacy.sign(first), pharmacy.sign(second))


def previewed(pharmacy: Pharmacy, text: str = SECOND) -> Amendment:
    with pharmacy.desk.store.read() as reader:
        return preview_amendment(pharmacy.desk, reader, text)


def site_of(pharmacy: Pharmacy) -> views.Site:
    with pharmacy.desk.store.read() as reader:
        site = reader.site()
    assert site is not None
    return site


def faults_of(pharmacy: Pharmacy, text: str) -> dict[str, str]:
    """What is wrong with a file, by its place: said alike when it is looked at and when it is signed."""
    with pytest.raises(Refused) as looked_at:
        previewed(pharmacy, text)
    with pytest.raises(Refused) as signed:
        amend(pharmacy, text)
    assert looked_at.value.faults == signed.value.faults
    return {fault.field: fault.sentence for fault in signed.value.faults}


def ordered(pharmacy: Pharmacy, planned_on: date = MONDAY, subject: str = "001", **changes: str) -> str:
    form = pharmacy.order_form(subject, planned_on=planned_on.isoformat(), **changes)
    return str(order(pharmacy.desk, pharmacy.act("paula"), form).content["dose_id"])


def decided_as(pharmacy: Pharmacy, dose_id: str) -> Decided:
    with pharmacy.desk.store.read() as reader:
        return preview(pharmacy.desk, reader, DecideForm(dose_id))


# --- looking at it


def test_the_preview_says_what_differs_from_when_on(pharmacy: Pharmacy) -> None:
    text = shipped(("dose_days = 3", "dose_days = 2"), ("change_over_percent = 10", "change_over_percent = 8"))
    before = pharmacy.count()
    amendment = previewed(pharmacy, text)
    assert (amendment.label, amendment.effective_on, amendment.follows) == ("Amendment 1", NEXT_MONDAY, "as supplied")
    assert amendment.differences == (
        Difference("version.label", "as supplied", "Amendment 1"),
        Difference("version.effective_on", "", "09-Mar-2026"),
        Difference("windows.dose_days", "3", "2"),
        Difference("weight.change_over_percent", "10", "8"),
    )
    assert amendment.touched == ()
    assert pharmacy.count() == before


def test_the_preview_names_whom_it_touches_and_why(pharmacy: Pharmacy) -> None:
    """001 has doses on both sides of the day, 002 nothing, 003 a cancelled dose, 004 the day before, nothing after."""
    for number in ("001", "002", "003", "004"):
        pharmacy.enroll(number)
    ordered(pharmacy, SUNDAY, "001")
    after = ordered(pharmacy, NEXT_MONDAY, "001", day="8")
    pharmacy.cancel(ordered(pharmacy, NEXT_MONDAY, "003"))
    ordered(pharmacy, SUNDAY, "004")
    touched = {each.subject_number: each.why for each in previewed(pharmacy).touched}
    assert touched == {
        "001": (
            "Course 1 is under way: its last dose is cycle 1 day 8, planned for 09-Mar-2026.",
            f"Dose {after} (course 1, cycle 1, day 8) is ordered for 09-Mar-2026: it will be decided by this version.",
        ),
        "004": ("Course 1 is under way: its last dose is cycle 1 day 1, planned for 08-Mar-2026.",),
    }


def test_a_decided_dose_and_a_reserved_one_are_told_apart(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll("001")
    pharmacy.enroll("002")
    decided, planned = pharmacy.dose("decided", "001"), pharmacy.dose("planned", "002")
    text = shipped(("dose_days = 3", "dose_days = 2"), effective_on="2026-03-02")
    why = [each.why[1] for each in previewed(pharmacy, text).touched]
    assert why == [
        f"Dose {decided} (course 1, cycle 1, day 1) is decided for 02-Mar-2026: it must be decided again.",
        f"Dose {planned} (course 1, cycle 1, day 1) is planned for 02-Mar-2026: it must be cancelled and ordered"
        " again.",
    ]


def test_a_course_with_all_its_doses_is_under_way_no_more(pharmacy: Pharmacy) -> None:
    """A given dose of the last cycle's last day ends the course, unless the amendment adds a cycle."""
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.dose("closed")
    one_cycle = "max_cycles = 6\n\n[regimen.first_cycle]", "max_cycles = 1\n\n[regimen.first_cycle]"
    one_day = (
        "total_mg_per_m2 = 1.8\ndoses = [\n    { day = 1, mg_per_m2 = 0.8 },\n    { day = 8, mg_per_m2 = 0.5 },\n"
        "    { day = 15, mg_per_m2 = 0.5 },\n]",
        "total_mg_per_m2 = 0.8\ndoses = [{ day = 1, mg_per_m2 = 0.8 }]",
    )
    short = shipped(one_cycle, one_day, label="short", effective_on="2026-03-02")
    assert [each.why for each in previewed(pharmacy, short).touched] == [
        ("Course 1 is under way: its last dose is cycle 1 day 1, given on 02-Mar-2026.",)
    ]
    amend(pharmacy, short)
    still_short = shipped(one_cycle, one_day, ("dose_days = 3", "dose_days = 2"), label="short 2")
    assert previewed(pharmacy, still_short).touched == ()
    longer = shipped(("dose_days = 3", "dose_days = 2"), label="longer again")
    assert [each.subject_number for each in previewed(pharmacy, longer).touched] == ["001"]


# --- signing it


def test_a_signed_amendment_is_in_force_from_its_day_on(pharmacy: Pharmacy) -> None:
    event = amend(pharmacy)
    site = site_of(pharmacy)
    assert protocol_of(site, SUNDAY).weight.change_over_percent == 10
    assert protocol_of(site, NEXT_MONDAY).weight.change_over_percent == 8
    first, second = site.versions
    assert (first.label, first.effective_on, first.signed_by) == ("as supplied", date.min, "")
    assert (second.label, second.effective_on) == ("second study, amendment 1", NEXT_MONDAY)
    assert (second.source, second.signed_by) == (SOURCE, "Paula Reyes, Carla Okafor")
    # What the two have signed is the text itself and what they were shown of it.
    assert event.content["text"] == SECOND
    assert {"path": "windows.dose_days", "before": "3", "after": "2"} in event.content["differences"]
    assert [signature.meaning for signature in event.signatures] == [
        "entered from the named amendment",
        "compared with the named amendment",
    ]
    pharmacy.assert_sound()


def test_an_amendment_may_change_nothing_but_the_version(pharmacy: Pharmacy) -> None:
    amend(pharmacy, shipped())
    assert [version.label for version in site_of(pharmacy).versions] == ["as supplied", "Amendment 1"]


def test_amendments_follow_one_another(pharmacy: Pharmacy) -> None:
    """Two of the same day: the later one counts, as a correction of the first."""
    amend(pharmacy)
    amend(pharmacy, shipped(("dose_days = 3", "dose_days = 4"), label="corrected"))
    amend(pharmacy, shipped(("dose_days = 3", "dose_days = 5"), label="third", effective_on="2026-04-01"))
    site = site_of(pharmacy)
    days = (SUNDAY, NEXT_MONDAY, date(2026, 3, 31), date(2026, 4, 1))
    assert [protocol_of(site, day).windows.dose_days for day in days] == [3, 4, 4, 5]
    pharmacy.assert_sound()


@pytest.mark.parametrize(("effective_on", "taken"), [("2026-03-01", False), ("2026-03-02", True)])
def test_an_amendment_applies_from_today_at_the_earliest(pharmacy: Pharmacy, effective_on: str, taken: bool) -> None:
    text = shipped(effective_on=effective_on)
    if taken:
        amend(pharmacy, text)
    else:
        assert "01-Mar-2026 has passed" in faults_of(pharmacy, text)["version.effective_on"]


@pytest.mark.parametrize(("effective_on", "taken"), [("2026-03-08", False), ("2026-03-09", True)])
def test_an_amendment_is_not_before_the_one_it_follows(pharmacy: Pharmacy, effective_on: str, taken: bool) -> None:
    amend(pharmacy)
    text = shipped(effective_on=effective_on)
    if taken:
        amend(pharmacy, text)
    else:
        assert faults_of(pharmacy, text) == {
            "version.effective_on": "The amendment would apply from 08-Mar-2026, before version “second study,"
            " amendment 1” (09-Mar-2026), which it follows."
        }


def test_an_amendment_without_a_day_is_refused(pharmacy: Pharmacy) -> None:
    assert "version.effective_on is missing" in faults_of(pharmacy, shipped(effective_on=""))["version.effective_on"]


def test_a_file_that_is_there_already_is_refused(pharmacy: Pharmacy) -> None:
    amend(pharmacy)
    for text in (SECOND, "# another comment\n" + SECOND):
        assert faults_of(pharmacy, text) == {
            "": "Nothing in this file differs from version “second study, amendment 1”, which is there already."
        }
    assert "version “as supplied”" in faults_of(pharmacy, shipped_protocol_text())[""]


@pytest.mark.parametrize("label", ["as supplied", "As Supplied"])
def test_a_label_is_used_once(pharmacy: Pharmacy, label: str) -> None:
    faults = faults_of(pharmacy, shipped(("dose_days = 3", "dose_days = 2"), label=label))
    assert list(faults) == ["version.label"]
    assert "as supplied" in faults["version.label"].lower()


def test_a_sentence_that_worksheets_print_must_stay(pharmacy: Pharmacy) -> None:
    faults = faults_of(pharmacy, SECOND.replace('key = "preparation"', 'key = "mixing"'))
    assert list(faults) == ["texts[preparation]"]


def test_all_faults_of_the_file_come_at_once_with_those_of_the_form(pharmacy: Pharmacy) -> None:
    text = shipped(("dose_days = 3", "dose_days = -3"), ("min_years = 12", "min_years = 'twelve'"))
    with pytest.raises(Refused) as refused:
        amend(pharmacy, text, source="")
    fields = {fault.field for fault in refused.value.faults}
    assert fields == {"windows.dose_days", "age.min_years", "source"}
    with pytest.raises(Refused, match="cannot be read as TOML"):
        previewed(pharmacy, "[version")
    assert len(site_of(pharmacy).versions) == 1


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ("paula", "paula", "second_password"),  # one person twice
        ("carla", "robin", "second_password"),  # no pharmacist among them
    ],
)
def test_two_people_sign_and_one_is_a_pharmacist(pharmacy: Pharmacy, first: str, second: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        amend(pharmacy, first=first, second=second)
    assert [fault.field for fault in refused.value.faults] == [field]
    amend(pharmacy, first="carla", second="paula")


def test_the_first_signature_is_the_own_one(pharmacy: Pharmacy) -> None:
    form = AmendmentForm(SECOND, SOURCE)
    with pytest.raises(Refused, match="first signature is yours"):
        amend_protocol(pharmacy.desk, pharmacy.act("robin"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))


@pytest.mark.parametrize(("first", "second"), [("mona", "paula"), ("paula", "mona"), ("tim", "paula")])
def test_a_monitor_and_a_technician_sign_no_amendment(pharmacy: Pharmacy, first: str, second: str) -> None:
    with pytest.raises(Denied):
        amend(pharmacy, first=first, second=second)


def test_a_double_click_signs_once(pharmacy: Pharmacy) -> None:
    act = Act(pharmacy.act("paula").session)
    signed = (AmendmentForm(SECOND, SOURCE), pharmacy.sign("paula"), pharmacy.sign("carla"))
    assert amend_protocol(pharmacy.desk, act, *signed) == amend_protocol(pharmacy.desk, act, *signed)
    assert len(site_of(pharmacy).versions) == 2


# --- what follows


def test_a_dose_is_decided_by_the_version_of_its_day(pharmacy: Pharmacy) -> None:
    """√3.325 m² × 0.8 = 1.45876… mg on Sunday; × 0.7 = 1.27641… mg from Monday on, and a window of ± 2 days."""
    pharmacy.enroll()
    sunday, monday = ordered(pharmacy, SUNDAY), ordered(pharmacy, NEXT_MONDAY, cycle="2")
    first = ordered(pharmacy, NEXT_MONDAY, course="2")
    amend(pharmacy)
    assert decided_as(pharmacy, sunday).decision.planned_mg == D("1.46")
    assert decided_as(pharmacy, first).decision.planned_mg == D("1.28")
    # Cycle 2 day 1: 0.6 mg/m² were 1.09407…; 0.8 mg/m² now.
    assert decided_as(pharmacy, monday).decision.planned_mg == D("1.46")


def test_a_dose_decided_before_the_amendment_must_be_decided_again(pharmacy: Pharmacy) -> None:
    """Nothing but the version differs, so the same dose comes out: the decision still names the wrong protocol."""
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    amend(pharmacy, shipped(effective_on="2026-03-02"))
    with pytest.raises(Refused, match="the protocol in force on the day of the infusion"):
        pharmacy.reserve(dose_id, pharmacy.best(dose_id))
    record_decision(pharmacy.desk, pharmacy.act("paula"), DecideForm(dose_id))
    pharmacy.reserve(dose_id, pharmacy.best(dose_id))
    pharmacy.verify(dose_id)
    pharmacy.assert_sound()


def test_an_amendment_of_later_days_leaves_todays_dose_alone(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    amend(pharmacy, shipped(effective_on="2026-03-03"))
    pharmacy.reserve(dose_id, pharmacy.best(dose_id))


def test_a_bag_of_the_old_version_is_not_released(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("labelled")
    amend(pharmacy, shipped(effective_on="2026-03-02"))
    with pytest.raises(Refused, match="must not be given"):
        pharmacy.release(dose_id)
    pharmacy.cancel(dose_id)


@pytest.mark.parametrize(("effective_on", "error"), [("2026-03-02", True), ("2026-03-03", False)])
def test_what_is_given_is_compared_by_the_version_of_its_day(
    pharmacy: Pharmacy, effective_on: str, error: bool
) -> None:
    """1.387 of 1.46 mg is exactly −5 %: an error where the limit is 5 %, none where it is 10 %.

    Given on Monday, 2 March, and written down on Tuesday: Monday's version counts.
    """
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    limit = "# This much or more, either way, is flagged.\nfrom_percent = 10", "from_percent = 5"
    amend(pharmacy, shipped(limit, ("budget_warn_percent = 5", "budget_warn_percent = 3"), effective_on=effective_on))
    started_at, ended_at = pharmacy.time(), pharmacy.time(60)
    pharmacy.clock.forward(days=1)
    event = pharmacy.give(
        dose_id, "1.387", started_at=started_at, ended_at=ended_at, late_why="the ward called the next day"
    )
    assert event.marks == ("late entry",)
    assert (event.content["medication_error"] is not None) is error


def test_a_weight_is_compared_by_the_version_of_its_day(pharmacy: Pharmacy) -> None:
    """76.3 after 70 kg is 9 % more: over the new limit of 8 %, under the old one of 10 %."""
    pharmacy.enroll()
    amend(pharmacy)
    pharmacy.clock.forward(days=7)
    with pytest.raises(Refused, match="more than 8 %"):
        record_measurement(
            pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", NEXT_MONDAY.isoformat(), weight="76.3")
        )
    record_measurement(pharmacy.desk, pharmacy.act("tim"), MeasurementForm("001", SUNDAY.isoformat(), weight="76.3"))


def test_papers_name_the_version_of_their_day(pharmacy: Pharmacy) -> None:
    stamps = []

    class Watched(StubPapers):
        def worksheet(self, worksheet: Any) -> bytes:
            stamps.append((worksheet.stamp.protocol_version, worksheet.stamp.protocol_sha256))
            return super().worksheet(worksheet)

        def accountability_record(self, header: Any, lines: Any, totals: Any, stamp: Any) -> bytes:
            stamps.append((stamp.protocol_version, stamp.protocol_sha256))
            return super().accountability_record(header, lines, totals, stamp)

    pharmacy.desk = replace(pharmacy.desk, papers=Watched())
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    amend(pharmacy)
    print_accountability_record(pharmacy.desk, pharmacy.act("mona"), RecordForm("1"))
    pharmacy.clock.forward(days=7)
    print_accountability_record(pharmacy.desk, pharmacy.act("mona"), RecordForm("1"))
    # The worksheet of last week's dose speaks of last week's protocol, whenever it is printed.
    print_worksheet(pharmacy.desk, pharmacy.act("paula"), dose_id, "for the file")
    old, new = ((version.label, version.sha256) for version in site_of(pharmacy).versions)
    assert stamps == [old, old, new, old]


def test_a_worksheet_names_the_version_its_dose_was_decided_by(pharmacy: Pharmacy) -> None:
    """Signed at noon for the same day: what was decided in the morning was decided by the old version."""
    stamps = []

    class Watched(StubPapers):
        def worksheet(self, worksheet: Any) -> bytes:
            stamps.append(worksheet.stamp.protocol_version)
            return super().worksheet(worksheet)

    pharmacy.desk = replace(pharmacy.desk, papers=Watched())
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("worksheet")
    amend(pharmacy, shipped(effective_on="2026-03-02"))
    print_worksheet(pharmacy.desk, pharmacy.act("paula"), dose_id, "coffee on the first one")
    assert stamps == ["as supplied", "as supplied"]


def test_the_command_line_calculates_by_the_version_of_the_day(pharmacy: Pharmacy, tmp_path: Path) -> None:
    amend(pharmacy)
    batch = tmp_path / "doses.csv"
    batch.write_text("height,weight,cycle,day,planned_on\n171,70,1,1,2026-03-08\n171,70,1,1,2026-03-09\n", "utf-8")
    result = CliRunner().invoke(app, ["calc", "--batch", str(batch), "--db", url_at(pharmacy.path), "--json"])
    assert result.exit_code == 0, result.stderr
    assert [row["planned_mg"] for row in json.loads(result.stdout)] == ["1.46", "1.28"]


# --- the record


def test_a_changed_protocol_text_is_found(pharmacy: Pharmacy) -> None:
    amend(pharmacy)
    with other_hands(pharmacy.path) as raw:
        raw.exec_driver_sql("UPDATE protocol_version SET text = replace(text, 'dose_days = 2', 'dose_days = 9')")
    assert "protocol_version" in pharmacy.desk.store.verify().trouble


def test_a_database_from_before_the_versions_gets_its_first_one(new_pharmacy: Callable[[], Pharmacy]) -> None:
    pharmacy = new_pharmacy()
    pharmacy.desk.store.close()
    with other_hands(pharmacy.path) as raw:
        raw.exec_driver_sql("DROP TABLE protocol_version")
        raw.exec_driver_sql("DROP TABLE document")
        raw.exec_driver_sql("UPDATE study_mark SET projection_version = 1")
    pharmacy.desk = replace(pharmacy.desk, store=SqlStore.open(url_at(pharmacy.path)))
    (version,) = site_of(pharmacy).versions
    assert version.text == shipped_protocol_text()
    amend(pharmacy)
    pharmacy.assert_sound()
    pharmacy.desk.store.close()
