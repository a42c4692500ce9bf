"""What is reviewed, why an entry deserves a look, what it is about and what it touches: from hand-made events."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from db.projections import _APPLY
from pharmacy_app.domain.events import GENESIS, Event
from pharmacy_app.domain.review import (
    KINDS,
    NOT_REVIEWED,
    RISK,
    TOUCHES,
    Reason,
    entry_of,
    initials_of,
    runs,
    sample_of,
    touched_by,
    usual_size,
)

AT = datetime(2026, 3, 2, 14, tzinfo=UTC)


def event(kind: str, why: str = "", marks: tuple[str, ...] = (), seq: int = 40, **content: Any) -> Event:
    """An event by Tim Lindqvist."""
    return Event(
        seq, "a" * 32, kind, "A0005", "Tim Lindqvist", "PHARMACY-1", AT, AT, why, content, (), "", marks, GENESIS
    )


def reasons(kind: str, why: str = "", marks: tuple[str, ...] = (), **content: Any) -> list[tuple[Reason, str]]:
    """Why an entry deserves a look."""
    entry = entry_of(event(kind, why, marks, **content))
    assert entry is not None
    assert entry.risk == max((RISK[said.reason] for said in entry.reasons), default=0)
    return [(said.reason, said.words) for said in entry.reasons]


def comparison(mg: str, base_mg: str = "1.46", *, over: bool = False, percent: str | None = "0") -> dict[str, Any]:
    """A dose against the dose it is judged by, as it is recorded."""
    return {
        "name": "administered",
        "mg": mg,
        "base_name": "prescribed",
        "base_mg": base_mg,
        "percent": percent,
        "limit_percent": "10",
        "at_or_over_limit": over,
        "finding": None,
    }


def finding(severity: str, override: dict[str, str] | None = None, rule: str = "T1") -> dict[str, Any]:
    """What a rule says, as it is recorded."""
    sentence = f"{rule} says so."
    return {
        "rule": rule,
        "severity": severity,
        "sentence": sentence,
        "section": "8",
        "compared": [],
        "override": override,
    }


# --- which kinds -------------------------------------------------------------------------------------------------


def test_every_kind_of_entry_is_reviewed_or_it_is_said_why_not() -> None:
    assert not KINDS.keys() & NOT_REVIEWED.keys()
    assert _APPLY.keys() <= KINDS.keys() | NOT_REVIEWED.keys()
    assert KINDS.keys() <= _APPLY.keys()
    assert TOUCHES.keys() <= KINDS.keys()
    assert all(NOT_REVIEWED.values())


def test_what_is_not_reviewed_is_none() -> None:
    assert entry_of(event("signed_in")) is None
    assert entry_of(event("query_opened", query="QRY-1")) is None
    assert entry_of(event("vials_accounted", unit_numbers=["V000001Q"])) is None


def test_the_reasons_weigh_in_their_order() -> None:
    order = list(Reason)
    assert order[0] is Reason.OVER_LIMIT
    assert order[-1] is Reason.FIRST
    assert [RISK[reason] for reason in order] == sorted(RISK.values(), reverse=True)
    assert min(RISK.values()) == 1


# --- why it deserves a look --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mg", "base_mg", "expected"),
    [
        # 9 % of 1.46 mg are 0.1314 mg: 1.3286 and 1.5914 lie just there.
        ("1.46", "1.46", None),
        ("1.3287", "1.46", None),
        ("1.3286", "1.46", Reason.NEAR_LIMIT),
        ("1.5913", "1.46", None),
        ("1.5914", "1.46", Reason.NEAR_LIMIT),
        ("0", "1.46", Reason.NEAR_LIMIT),
    ],
)
def test_a_dose_within_one_percent_of_the_limit(mg: str, base_mg: str, expected: Reason | None) -> None:
    found = reasons("dose_administered", dose_id="D0000010", administration={"comparison": comparison(mg, base_mg)})
    assert [reason for reason, _ in found] == ([expected] if expected else [])


def test_a_dose_at_the_limit_says_the_numbers() -> None:
    compared = comparison("1.314", over=True, percent="-10")
    assert reasons("dose_administered", administration={"comparison": compared}) == [
        (Reason.OVER_LIMIT, "administered 1.314 mg, prescribed 1.46 mg, −10 %; the limit is 10 %")
    ]


def test_a_dose_judged_by_nothing_has_no_percentage() -> None:
    compared = comparison("1", "0", over=True, percent=None)
    assert reasons("dose_prepared", preparation={"comparison": compared}) == [
        (Reason.OVER_LIMIT, "administered 1 mg, prescribed 0 mg; the limit is 10 %")
    ]


def test_findings_passed_with_a_reason() -> None:
    override = {"decided_by": "Dr. Ines Vogel", "why": "seen today"}
    answer = {"findings": [finding("stop unless overridden", override, "R27"), finding("info"), finding("warn")]}
    decision = {"answer": answer, "overrides": [], "reason": ""}
    assert reasons("dose_decided", dose_id="D0000010", decision=decision) == [
        (Reason.OVERRIDE, "rule R27, Dr. Ines Vogel: seen today"),
        (Reason.WARNED, "T1 says so."),
    ]
    # What the comparison beside it says is not said twice, and a stop that nobody passed is no override.
    answer = {"findings": [finding("warn", rule="R17"), finding("stop"), finding("stop unless overridden")]}
    assert reasons("dose_decided", dose_id="D0000010", decision={"answer": answer}) == []


def test_a_reason_given_for_a_plan_or_an_unlikely_value() -> None:
    plan = {"reason": "the last vials", "passed_over_reason": "other: opened carton", "findings": []}
    assert reasons("vials_reserved", dose_id="D0000010", plan=plan) == [
        (Reason.WARNED, "the last vials; other: opened carton")
    ]
    assert reasons("measurement_recorded", "weighed twice", subject_number="001") == [(Reason.WARNED, "weighed twice")]
    assert reasons("measurement_recorded", subject_number="001") == []


def test_late_entries_corrections_and_a_clock_behind() -> None:
    assert reasons("dose_released", dose_id="D0000010", late_why="the network was down") == [
        (Reason.LATE, "the network was down")
    ]
    assert reasons("measurement_corrected", "misread", corrects=20) == [(Reason.CORRECTION, "misread")]
    assert reasons("statement_withdrawn", "another subject", withdraws=20) == [(Reason.CORRECTION, "another subject")]
    behind = reasons("dose_released", marks=("clock behind the last entry",), dose_id="D0000010")
    assert [reason for reason, _ in behind] == [Reason.CLOCK]


def test_labels_printed_again_void_or_torn_in_the_printer() -> None:
    assert reasons("paper_printed", papers=[{"copy_number": 1}]) == []
    assert reasons("paper_printed", papers=[{"copy_number": 1}, {"copy_number": 2}]) == [
        (Reason.LABEL, "printed again")
    ]
    assert reasons("paper_printed", "torn", papers=[{"copy_number": 3}]) == [(Reason.LABEL, "torn")]
    assert reasons("label_voided", "torn", print_seq=3) == [(Reason.LABEL, "torn")]
    assert reasons("print_answered", print_seq=3, void=[2], void_why="jam") == [(Reason.LABEL, "jam")]
    assert reasons("print_answered", print_seq=3, void=[], void_why="jam") == []


def test_discrepancies_losses_and_medication_errors() -> None:
    assert reasons("count_recorded", discrepancy="", place="Refrigerator 1", sentence="") == []
    assert reasons("count_recorded", discrepancy="Q0000011", place="Refrigerator 1", sentence="1 short") == [
        (Reason.DISCREPANCY, "1 short")
    ]
    assert reasons("discrepancy_opened", sentence="1 short") == [(Reason.DISCREPANCY, "1 short")]
    assert reasons("vials_missing", "not in the box") == [(Reason.DISCREPANCY, "not in the box")]
    assert reasons("vials_broken") == [(Reason.DISCREPANCY, "discrepancy or loss")]
    error = {"sentence": "10 % less was given."}
    assert reasons("dose_administered", medication_error=error) == [(Reason.ERROR, "10 % less was given.")]
    assert reasons("dose_administered", medication_error=None) == []


def test_storage_deviations_wherever_an_entry_tells_of_one() -> None:
    assert [reason for reason, _ in reasons("deviation_recorded", deviation_id="X000001M")] == [Reason.STORAGE]
    assert [reason for reason, _ in reasons("vials_transported", exposed=[{"deviation_id": "X000001M"}])] == [
        Reason.STORAGE
    ]
    assert [reason for reason, _ in reasons("quarantine_lifted", decided=[{"decision": "may be used"}])] == [
        Reason.STORAGE
    ]
    shipment = {"number": "S-1"}
    assert reasons("shipment_received", shipment=shipment, hold_reason="the temperature logger shows an alarm") == [
        (Reason.STORAGE, "the temperature logger shows an alarm")
    ]
    assert reasons("shipment_received", shipment=shipment, hold_reason="") == []
    # A quarantine has its reason too, which need not be a deviation.
    assert reasons("vials_quarantined", hold_reason="dropped") == []


def test_a_second_check_that_did_not_agree_and_a_refused_try() -> None:
    assert reasons("dose_verified", agreed=False, disagreed=["height_cm", "dose_mg"]) == [
        (Reason.DISAGREED, "not the same: height cm, dose mg")
    ]
    assert reasons("dose_verified", agreed=True, disagreed=[]) == []
    assert reasons("access_denied", act="dose_released", sentence="Takes a pharmacist.") == [
        (Reason.DENIED, "Takes a pharmacist.")
    ]


def test_the_gravest_reason_comes_first_and_none_is_said_twice() -> None:
    compared = comparison("1.314", over=True)
    found = reasons(
        "administration_corrected", "misread", corrects=20, administration={"comparison": compared, "again": compared}
    )
    assert [reason for reason, _ in found] == [Reason.OVER_LIMIT, Reason.CORRECTION]


def test_what_may_be_the_first_of_its_kind() -> None:
    def first(kind: str, **content: Any) -> tuple[str, ...]:
        entry = entry_of(event(kind, **content))
        assert entry is not None
        return entry.first

    assert first("shipment_received", shipment={"number": "S-1"}) == ("receipt",)
    assert first("dose_administered", subject_number="001") == ("dose given to subject 001",)
    assert first("dose_prepared", dose_id="D0000010") == ("dose prepared by Tim Lindqvist",)
    # An entry from before the subject was kept with it.
    assert first("dose_administered", dose_id="D0000010") == ()
    assert first("vials_released", line={"reference": "S-1"}) == ()


# --- what it is about --------------------------------------------------------------------------------------------


def abouts(kind: str, **content: Any) -> tuple[str, ...]:
    """What an entry is about."""
    entry = entry_of(event(kind, **content))
    assert entry is not None
    return entry.abouts


def test_things_are_found_by_their_numbers_and_names_wherever_they_stand() -> None:
    assert abouts(
        "document_attached", document_id="F000001W", about="lot A1", title="V000001Q and others", signed_by=""
    ) == ("F000001W", "lot A1")
    assert abouts("labels_scanned", scans=[{"number": "V000001Q", "kind": "vial"}]) == ("V000001Q",)
    assert abouts("medication_error_assessed", error_id="E0000015", assessment={}) == ("E0000015",)
    assert abouts("vials_relabelled", unit_numbers=["V000001Q", "V000002O"]) == ("V000001Q", "V000002O")
    assert abouts("logger_read", shipment="S-1", vials=[{"unit_number": "V000001Q"}]) == ("V000001Q", "shipment S-1")
    assert abouts("vials_released", line={"reference": "S-1"}) == ("shipment S-1",)
    assert abouts("place_added", place="Refrigerator 3", room="") == ("place Refrigerator 3",)
    assert abouts("subject_enrolled", subject_number="001", initials="RTK") == ("001",)
    # No numbers of ours: an account, a form, a code of other people.
    assert abouts("settings_signed", settings={"a": "A0000010", "b": "RET-42", "c": "v000001q"}) == ()


def test_what_the_ledger_says_of_an_entry_is_not_said_again() -> None:
    moved = {"unit_number": "V000001Q", "lot": "A1", "place": "Refrigerator 1"}
    shipment = {"number": "S-1", "note": ""}
    vials = [{"unit_number": "V000001Q", "kit_number": ""}, {"unit_number": "V000002O", "kit_number": ""}]
    found = abouts("shipment_received", shipment=shipment, moves=[moved], vials=vials, lots=[{"lot": "A1"}])
    assert found == ("V000002O", "shipment S-1")


# --- what it touches ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "entries", "made"),
    [
        ("measurement_corrected", {"corrects": 20}, (20,), ()),
        (
            "measurement_corrected",
            {"corrects": 20, "used_in": [{"dose_id": "D0000010", "entries": [22, 30]}]},
            (20, 22, 30),
            (),
        ),
        ("measurement_corrected", {"corrects": 20, "used_in": []}, (20,), ()),
        ("accountability_undone", {"corrects": 20, "unit_numbers": []}, (20,), ()),
        ("statement_withdrawn", {"withdraws": 20}, (20,), ()),
        ("label_voided", {"print_seq": 20, "line": 1}, (20,), ()),
        ("print_answered", {"print_seq": 20, "void": [3]}, (20,), ()),
        ("print_answered", {"print_seq": 20, "void": [], "never": [1, 2]}, (20,), ()),
        ("print_answered", {"print_seq": 20, "void": [], "never": []}, (), ()),
        ("labels_scanned", {"scans": [{"print_seq": 20}]}, (), ()),
        ("deviation_updated", {"deviation_id": "X000001M"}, (), ("deviation X000001M",)),
        ("deviation_closed", {"deviation_id": "X000001M"}, (), ()),
        (
            "vials_transported",
            {"exposed": [{"deviation_id": "X000001M"}, {"deviation_id": "X000001M"}], "reopened": ["X000002K"]},
            (),
            ("deviation X000002K", "deviation X000001M"),
        ),
        ("logger_read", {"shipment": "S-1"}, (), ("receipt S-1",)),
        ("medication_error_assessed", {"error_id": "E0000015"}, (), ("error E0000015",)),
        ("administration_corrected", {"corrects": 20, "reopens": "E0000015"}, (20,), ("error E0000015",)),
        ("administration_corrected", {"corrects": 20, "reopens": ""}, (20,), ()),
        ("dose_decided", {"dose_id": "D0000010"}, (), ("decision of D0000010",)),
        ("dose_ordered", {"dose_id": "D0000010"}, (), ()),
        ("signed_in", {}, (), ()),
    ],
)
def test_what_an_entry_touches(
    kind: str, content: dict[str, Any], entries: tuple[int, ...], made: tuple[str, ...]
) -> None:
    touched = touched_by(event(kind, **content))
    assert (touched.entries, touched.made) == (entries, made)


def test_to_cancel_a_dose_touches_each_step_it_has_come_through() -> None:
    steps = ["dose_ordered", "dose_decided", "vials_reserved", "dose_verified", "dose_prepared", "dose_released"]
    made = []
    for step in steps:
        entry = entry_of(event(step, dose_id="D0000010"))
        assert entry is not None
        made.append(entry.makes)
    assert list(touched_by(event("dose_cancelled", dose_id="D0000010")).made) == made


def test_what_is_touched_by_name_is_made_by_some_kind_of_entry() -> None:
    made = {kind.makes for kind in KINDS.values() if kind.makes}
    touched = {template for templates in TOUCHES.values() for template in templates}
    assert touched <= made | {"receipt {shipment}"}
    assert "receipt {shipment[number]}" in made


# --- samples, runs, initials -------------------------------------------------------------------------------------


def test_a_sample_can_be_drawn_by_hand() -> None:
    """The definition in words, once more: the entries with the smallest SHA-256 of 'visit hash number'."""
    entries = range(1, 101)
    by_hand = sorted(entries, key=lambda seq: sha256(f"VIS-1 {'ab' * 32} {seq}".encode()).hexdigest())
    assert sample_of(entries, 11, "VIS-1", "ab" * 32) == tuple(sorted(by_hand[:11]))
    assert sample_of(entries, 11, "VIS-2", "ab" * 32) != sample_of(entries, 11, "VIS-1", "ab" * 32)
    assert sample_of(entries, 11, "VIS-1", "cd" * 32) != sample_of(entries, 11, "VIS-1", "ab" * 32)
    assert sample_of(reversed(entries), 11, "VIS-1", "ab" * 32) == sample_of(entries, 11, "VIS-1", "ab" * 32)


@pytest.mark.parametrize(("size", "drawn"), [(-1, 0), (0, 0), (1, 1), (5, 5), (6, 5)])
def test_a_sample_is_never_larger_than_what_there_is(size: int, drawn: int) -> None:
    assert len(sample_of(range(5), size, "VIS-1", "")) == drawn


@pytest.mark.parametrize(
    ("entries", "size"),
    # The root of 99 is 9.95, rounded up 10, and one more.
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (9, 4), (10, 5), (99, 11), (100, 11), (101, 12), (10_000, 101)],
)
def test_root_plus_one(entries: int, size: int) -> None:
    assert usual_size(entries) == size


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], ()),
        ([(3, False)], ()),
        ([(3, True)], ((3, 3, 1),)),
        ([(3, True), (5, True), (9, False), (12, True)], ((3, 5, 2), (12, 12, 1))),
        ([(3, False), (5, True), (9, True)], ((5, 9, 2),)),
    ],
)
def test_runs_of_what_is_left(entries: list[tuple[int, bool]], expected: tuple[tuple[int, int, int], ...]) -> None:
    assert runs(entries) == expected


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Mona Sorensen", "MS"),
        ("Dr. Ines Vogel", "IV"),
        ("Dr. Vogel", "DV"),
        ("J. Abara", "JA"),
        ("J. B. Abara", "JBA"),
        ("ana maria lópez", "AML"),
        ("Mona", "M"),
        ("  ", ""),
    ],
)
def test_initials(name: str, initials: str) -> None:
    assert initials_of(name) == initials
