"""The datasets of the study data model, from doses as the pharmacy made them (REGULATION X-04 to X-09).

The usual dose: 171 cm and 70 kg give √(171 × 70 ÷ 3600) = √3.325 = 1.823458… m² by Mosteller; 1.46 mg are
1.46 ÷ 1.823458… = 0.800676… mg/m².
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pharmacy_app.services.administration import AdministrationForm, administer
from pharmacy_app.services.cdisc import DATASETS
from pharmacy_app.services.disposition import TakeBackForm, take_back
from pharmacy_app.services.doses import CancelForm, cancel, order
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.subjects import MeasurementForm, record_measurement
from pharmacy_app.services.treatment import OmissionForm, WithdrawForm, omit_dose, withdraw
from tests.services.pharmacy import Pharmacy
from tests.services.taken import check_schema, read_json, records_of, take
from tests.services.test_amendments import amend, shipped
from tests.services.test_corrections import put_right

Record = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files are taken to."""
    return tmp_path / "taken"


@pytest.fixture
def ready(pharmacy: Pharmacy) -> Pharmacy:
    """Two lots of 1 mg vials, and subject 001."""
    pharmacy.stock_up(lots=(LotTyped("1", "A1", "2027-03-31", "8", kit_numbers=("K1 to K8",)),))
    pharmacy.stock_up("S-2", (LotTyped("1", "A2", "2027-03-31", "4"), LotTyped("4", "B1", "2027-06-30", "2")))
    pharmacy.enroll()
    return pharmacy


def dataset(pharmacy: Pharmacy, folder: Path, name: str, **asked: str) -> list[Record]:
    """A dataset as it is read back."""
    return records_of(take(pharmacy, folder, name, **asked).path)


def omit(pharmacy: Pharmacy, day: str = "8", subject: str = "001", cycle: str = "1") -> int:
    """State that a dose is left out."""
    form = OmissionForm(subject, "1", cycle, day, "toxicity", "Dr. Ines Vogel", pharmacy.day(), "ALT grade 3")
    return omit_dose(pharmacy.desk, pharmacy.act("paula"), form).seq


# --- DA --------------------------------------------------------------------------------------------------------------


def test_each_vial_that_was_opened_is_dispensed_to_its_subject(ready: Pharmacy, folder: Path) -> None:
    dose_id = ready.dose("closed")
    first, second = dataset(ready, folder, "DA")
    assert first == {
        "STUDYID": "INO-LD-2",
        "DOMAIN": "DA",
        "USUBJID": "INO-LD-2-017-001",
        "DASEQ": 1,
        "DAREFID": "K1",
        "DASPID": ready.vials(lot="A1")[0].unit_number,
        "DALNKGRP": dose_id,
        "DATESTCD": "DISPAMT",
        "DATEST": "Dispensed Amount",
        "DACAT": "STUDY PRODUCT",
        "DASCAT": "1 MG VIAL",
        "DAORRES": "1",
        "DAORRESU": "VIAL",
        "DASTRESC": "1",
        "DASTRESN": 1,
        "DASTRESU": "VIAL",
        "VISITNUM": 10101,
        "VISIT": "COURSE 1 CYCLE 1 DAY 1",
        "EPOCH": "TREATMENT",
        "DADTC": "2026-03-02T08:00:00-06:00",
        "DADY": 1,
    }
    assert (second["DASEQ"], second["DAREFID"]) == (2, "K2")


def test_stock_that_is_nobodys_is_not_in_it(ready: Pharmacy, folder: Path) -> None:
    """Reserved vials, and those of a dose that was cancelled before they were opened, stay in the pharmacy."""
    ready.dose("planned")
    assert dataset(ready, folder, "DA") == []
    with ready.desk.store.read() as reader:
        (dose,) = reader.doses()
    ready.cancel(dose.dose_id)
    assert dataset(ready, folder, "DA") == []


def test_vials_opened_for_a_dose_that_was_lost_were_dispensed_all_the_same(ready: Pharmacy, folder: Path) -> None:
    dose_id = ready.dose("worksheet")
    units = tuple(vial.unit_number for vial in ready.thread(dose_id).vials)
    cancel(ready.desk, ready.act("paula"), CancelForm(dose_id, "the bag tore", units))
    assert [row["DASPID"] for row in dataset(ready, folder, "DA")] == list(units)
    assert dataset(ready, folder, "EC") == []


def test_a_container_that_came_back_is_returned_until_that_is_taken_back(ready: Pharmacy, folder: Path) -> None:
    dose_id = ready.dose("closed")
    unit = ready.thread(dose_id).mg[0].unit_number
    ready.clock.forward(hours=1)
    form = TakeBackForm((unit,), dose_id, "left on the ward", "Nurse J. Abara")
    event = take_back(ready.desk, ready.act("tim"), form)
    rows = dataset(ready, folder, "DA")
    assert [(row["DATESTCD"], row["DASPID"] == unit) for row in rows] == [
        ("DISPAMT", True),
        ("DISPAMT", False),
        ("RETAMT", True),
    ]
    assert rows[2]["DADTC"] == event.done_at.isoformat(timespec="seconds")
    put_right(ready, event.seq, "it was another container")
    assert {row["DATESTCD"] for row in dataset(ready, folder, "DA")} == {"DISPAMT"}


def test_a_vial_whose_label_was_corrected_has_its_right_kit(ready: Pharmacy, folder: Path) -> None:
    ready.dose("closed")
    receipt = ready.events("shipment_received")[0]
    put_right(ready, receipt.seq, labels__0__kit_numbers="K91 K92 K3 K4 K5 K6 K7 K8")
    assert [row["DAREFID"] for row in dataset(ready, folder, "DA")] == ["K91", "K92"]


# --- EC --------------------------------------------------------------------------------------------------------------


def test_what_was_scheduled_and_what_was_given_are_linked(ready: Pharmacy, folder: Path) -> None:
    dose_id = ready.dose("given")
    performed, scheduled = dataset(ready, folder, "EC")
    assert scheduled == {
        "STUDYID": "INO-LD-2",
        "DOMAIN": "EC",
        "USUBJID": "INO-LD-2-017-001",
        "ECSEQ": 2,
        "ECREFID": dose_id,
        "ECLNKGRP": dose_id,
        "ECTRT": "INOTUZUMAB OZOGAMICIN",
        "ECMOOD": "SCHEDULED",
        "ECDOSE": "1.46",
        "ECDOSU": "mg",
        "ECDOSFRM": "INJECTION, POWDER, LYOPHILIZED, FOR SOLUTION",
        "ECROUTE": "INTRAVENOUS",
        "VISITNUM": 10101,
        "VISIT": "COURSE 1 CYCLE 1 DAY 1",
        "EPOCH": "TREATMENT",
        "ECSTDTC": "2026-03-02",
        "ECSTDY": 1,
    }
    assert performed == {
        **scheduled,
        "ECSEQ": 1,
        "ECMOOD": "PERFORMED",
        "ECPRESP": "Y",
        "ECOCCUR": "Y",
        "ECLOT": "A1",
        "ECPSTRG": "1",
        "ECPSTRGU": "mg",
        "ECTRTV": "0.9% SODIUM CHLORIDE",
        "ECVAMT": "50",
        "ECVAMTU": "mL",
        "ECSTDTC": "2026-03-02T08:00:00-06:00",
        "ECENDTC": "2026-03-02T09:00:00-06:00",
        "ECENDY": 1,
    }


def test_a_dose_from_two_lots_names_each_of_them(ready: Pharmacy, folder: Path) -> None:
    one, other = ready.vials(lot="A1")[0], ready.vials(lot="A2")[0]
    ready.dose("given", units=(one.unit_number, other.unit_number))
    performed, _ = dataset(ready, folder, "EC")
    assert (performed["ECLOT"], performed["ECPSTRG"]) == ("MULTIPLE", "1")
    assert dataset(ready, folder, "EX")[0]["EXLOT"] == "MULTIPLE"
    known = {"STUDYID": "INO-LD-2", "RDOMAIN": "EC", "USUBJID": "INO-LD-2-017-001", "IDVAR": "ECSEQ", "IDVARVAL": "1"}
    assert dataset(ready, folder, "SUPPEC") == [
        {**known, "QNAM": "ECLOT1", "QLABEL": "Lot Number 1", "QVAL": "A1", "QORIG": "Collected"},
        {**known, "QNAM": "ECLOT2", "QLABEL": "Lot Number 2", "QVAL": "A2", "QORIG": "Collected"},
    ]


def test_an_omitted_dose_did_not_occur_and_has_no_amount(ready: Pharmacy, folder: Path) -> None:
    """Cycle 1 day 8 is 0.5 mg/m² (§ 3.3); nobody ordered it."""
    ready.dose("given")
    omit(ready)
    performed, scheduled = (row for row in dataset(ready, folder, "EC") if row["VISITNUM"] == 10108)
    assert (performed["ECMOOD"], performed["ECOCCUR"], performed["ECPRESP"]) == ("PERFORMED", "N", "Y")
    assert performed["ECREASOC"] == "toxicity: ALT grade 3"
    assert not {"ECDOSE", "ECSTDTC", "ECLOT"} & performed.keys()
    assert (scheduled["ECMOOD"], scheduled["ECDOSE"], scheduled["ECDOSU"]) == ("SCHEDULED", "0.5", "mg/m2")
    assert performed["ECLNKGRP"] == scheduled["ECLNKGRP"]
    assert len(dataset(ready, folder, "EX")) == 1


def test_an_omission_that_was_withdrawn_is_none(ready: Pharmacy, folder: Path) -> None:
    ready.dose("given")
    seq = omit(ready)
    withdraw(ready.desk, ready.act("paula"), WithdrawForm("001", seq, "a slip"))
    assert {row["VISITNUM"] for row in dataset(ready, folder, "EC")} == {10101}


def test_an_omitted_dose_that_was_ordered_is_linked_to_its_order(ready: Pharmacy, folder: Path) -> None:
    ready.dose("given")
    omit(ready)
    form = ready.order_form("001", "0.91", day="8", planned_on=ready.day(7))
    dose_id = order(ready.desk, ready.act("paula"), form).content["dose_id"]
    performed, scheduled = (row for row in dataset(ready, folder, "EC") if row["VISITNUM"] == 10108)
    assert performed["ECLNKGRP"] == scheduled["ECLNKGRP"] == dose_id
    assert (scheduled["ECDOSE"], scheduled["ECDOSU"], scheduled["ECSTDTC"]) == ("0.91", "mg", "2026-03-09")
    assert performed["ECOCCUR"] == "N"


def test_a_dose_of_which_nothing_was_given_did_not_occur(ready: Pharmacy, folder: Path) -> None:
    ready.give(ready.dose("released"), "0", note="line blocked")
    performed, scheduled = dataset(ready, folder, "EC")
    assert (performed["ECOCCUR"], performed["ECREASOC"]) == ("N", "line blocked")
    assert "ECDOSE" not in performed
    assert scheduled["ECDOSE"] == "1.46"
    assert dataset(ready, folder, "EX") == []
    assert "BSA" not in {row["VSTESTCD"] for row in dataset(ready, folder, "VS")}


def test_a_cancelled_order_is_neither_scheduled_nor_given(ready: Pharmacy, folder: Path) -> None:
    ready.cancel(ready.dose("planned"))
    assert dataset(ready, folder, "EC") == []
    again = ready.dose("given")
    assert {row["ECLNKGRP"] for row in dataset(ready, folder, "EC")} == {again}


def test_an_infusion_that_was_stopped_says_so(ready: Pharmacy, folder: Path) -> None:
    ready.give(ready.dose("released"), "1.2", stopped_for="reaction", note="chills")
    (performed, _) = dataset(ready, folder, "EC")
    assert (performed["ECDOSE"], performed["ECADJ"]) == ("1.2", "infusion stopped: reaction")
    # 1.2 ÷ 1.823458… = 0.658090…
    (exposure,) = dataset(ready, folder, "EX")
    assert (exposure["EXDOSE"], exposure["EXADJ"]) == ("0.658090", "infusion stopped: reaction")


# --- EX --------------------------------------------------------------------------------------------------------------


def test_exposure_is_what_was_given_by_the_area_it_was_calculated_from(ready: Pharmacy, folder: Path) -> None:
    dose_id = ready.dose("given")
    assert dataset(ready, folder, "EX") == [
        {
            "STUDYID": "INO-LD-2",
            "DOMAIN": "EX",
            "USUBJID": "INO-LD-2-017-001",
            "EXSEQ": 1,
            "EXREFID": dose_id,
            "EXLNKGRP": dose_id,
            "EXTRT": "INOTUZUMAB OZOGAMICIN",
            "EXDOSE": "0.800676",
            "EXDOSU": "mg/m2",
            "EXDOSFRM": "INJECTION, POWDER, LYOPHILIZED, FOR SOLUTION",
            "EXDOSFRQ": "ONCE",
            "EXROUTE": "INTRAVENOUS",
            "EXLOT": "A1",
            "VISITNUM": 10101,
            "VISIT": "COURSE 1 CYCLE 1 DAY 1",
            "EPOCH": "TREATMENT",
            "EXSTDTC": "2026-03-02T08:00:00-06:00",
            "EXENDTC": "2026-03-02T09:00:00-06:00",
            "EXSTDY": 1,
            "EXENDY": 1,
        }
    ]


def test_a_dose_that_was_corrected_is_the_corrected_one(ready: Pharmacy, folder: Path) -> None:
    """1.4 mg instead of 1.46: 1.4 ÷ 1.823458… = 0.7677718…"""
    event = ready.give(ready.dose("released"))
    put_right(ready, event.seq, "read off wrongly", given="1.4")
    assert dataset(ready, folder, "EC")[0]["ECDOSE"] == "1.4"
    assert dataset(ready, folder, "EX")[0]["EXDOSE"] == "0.767772"


def test_a_weight_corrected_after_the_dose_leaves_the_area_it_was_given_by(ready: Pharmacy, folder: Path) -> None:
    ready.dose("given")
    measured = ready.events("measurement_recorded")[-1]
    put_right(ready, measured.seq, "the other scale", weight="72")
    rows = dataset(ready, folder, "VS")
    assert [row["VSSTRESN"] for row in rows if row["VSTESTCD"] == "WEIGHT"] == ["72"]
    assert [row["VSSTRESN"] for row in rows if row["VSTESTCD"] == "BSA"] == ["1.823458"]
    assert dataset(ready, folder, "EX")[0]["EXDOSE"] == "0.800676"


# --- VS --------------------------------------------------------------------------------------------------------------


def test_measurements_stand_as_typed_and_converted_and_the_area_belongs_to_its_dose(
    ready: Pharmacy, folder: Path
) -> None:
    """154.3 lb × 0.45359237 = 69.989302691 kg."""
    dose_id = ready.dose("given")
    form = MeasurementForm("001", ready.day(), weight="154.3", weight_unit="lb")
    record_measurement(ready.desk, ready.act("tim"), form)
    area, height, *weights = dataset(ready, folder, "VS")
    assert area == {
        "STUDYID": "INO-LD-2",
        "DOMAIN": "VS",
        "USUBJID": "INO-LD-2-017-001",
        "VSSEQ": 1,
        "VSSPID": dose_id,
        "VSLNKID": dose_id,
        "VSTESTCD": "BSA",
        "VSTEST": "Body Surface Area",
        "VSORRES": "1.823458",
        "VSORRESU": "m2",
        "VSSTRESC": "1.823458",
        "VSSTRESN": "1.823458",
        "VSSTRESU": "m2",
        "VSMETHOD": "MOSTELLER",
        "VSDRVFL": "Y",
        "VISITNUM": 10101,
        "VISIT": "COURSE 1 CYCLE 1 DAY 1",
        "EPOCH": "TREATMENT",
        "VSDTC": "2026-03-02",
        "VSDY": 1,
    }
    assert (height["VSTESTCD"], height["VSORRES"], height["VSORRESU"]) == ("HEIGHT", "171", "cm")
    assert [(row["VSORRES"], row["VSORRESU"], row["VSSTRESN"], row["VSSTRESU"]) for row in weights] == [
        ("70", "kg", "70", "kg"),
        ("154.3", "LB", "69.989302691", "kg"),
    ]


# --- the study --------------------------------------------------------------------------------------------------------


def test_a_subject_without_a_dose_has_measurements_and_no_study_day(ready: Pharmacy, folder: Path) -> None:
    assert [dataset(ready, folder, name) for name in ("DA", "EC", "EX", "SUPPEC")] == [[], [], [], []]
    rows = dataset(ready, folder, "VS")
    assert [row["VSTESTCD"] for row in rows] == ["HEIGHT", "WEIGHT"]
    assert not any("VSDY" in row for row in rows)


def test_there_is_no_study_day_zero(ready: Pharmacy, folder: Path) -> None:
    ready.clock.forward(hours=24)
    ready.enroll("002")
    form = MeasurementForm("002", ready.day(-1), weight="70")
    record_measurement(ready.desk, ready.act("tim"), form)
    ready.dose("given", "002")
    days = {row["VSDTC"]: row["VSDY"] for row in dataset(ready, folder, "VS", subject_number="002")}
    assert days == {"2026-03-02": -1, "2026-03-03": 1}


def test_each_dose_goes_by_the_protocol_in_force_on_its_day(ready: Pharmacy, folder: Path) -> None:
    """The second amendment calls the drug otherwise, from 9 March on."""
    ready.dose("given")
    amend(ready, shipped())
    amend(ready, shipped(('drug = "inotuzumab ozogamicin"', 'drug = "InO 2"'), label="Amendment 2"))
    ready.clock.forward(days=7)
    ready.enroll("002")
    ready.dose("given", "002")
    for name, column in (("EC", "ECTRT"), ("EX", "EXTRT")):
        assert {(row["USUBJID"][-3:], row[column]) for row in dataset(ready, folder, name)} == {
            ("001", "INOTUZUMAB OZOGAMICIN"),
            ("002", "INO 2"),
        }


def test_subjects_are_numbered_each_for_itself_and_can_be_taken_alone(ready: Pharmacy, folder: Path) -> None:
    ready.dose("given")
    ready.enroll("002")
    ready.dose("given", "002")
    rows = dataset(ready, folder, "EC")
    assert [(row["USUBJID"][-3:], row["ECSEQ"]) for row in rows] == [("001", 1), ("001", 2), ("002", 1), ("002", 2)]
    assert dataset(ready, folder, "EC", subject_number="002") == rows[2:]
    ready.clock.forward(days=1)
    assert dataset(ready, folder, "EC", from_on=ready.day()) == []


@pytest.mark.parametrize("name", DATASETS)
def test_rows_are_known_by_their_keys_and_stand_in_their_order(ready: Pharmacy, folder: Path, name: str) -> None:
    ready.dose("given", units=(ready.vials(lot="A1")[0].unit_number, ready.vials(lot="A2")[0].unit_number))
    omit(ready)
    ready.enroll("002")
    ready.dose("given", "002")
    made = take(ready, folder, name)
    data = read_json(made.path)
    at = {column["keySequence"]: number for number, column in enumerate(data["columns"]) if "keySequence" in column}
    keys = [tuple(str(row[at[key]] or "") for key in sorted(at)) for row in data["rows"]]
    assert len(set(keys)) == len(keys) > 0
    assert keys == sorted(keys)
    assert all(len(column["label"]) <= 40 and len(column["name"]) <= 8 for column in data["columns"])
    check_schema(made.path)


def test_in_the_night_of_autumn_a_dose_has_its_offsets(ready: Pharmacy, folder: Path) -> None:
    """On 1 November 2026 Chicago's clocks go from 02:00 back to 01:00: 06:30 UTC is 01:30, 08:05 UTC is 02:05."""
    ready.clock.now = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    ready.enroll("003")
    dose_id = ready.dose("released", "003")
    ready.clock.forward(minutes=100)
    form = AdministrationForm(dose_id, "2026-11-01 01:30", "2026-11-01 02:05", "1.46", "mg")
    administer(ready.desk, ready.act("paula"), form)
    (row,) = dataset(ready, folder, "EX")
    assert (row["EXSTDTC"], row["EXENDTC"]) == ("2026-11-01T01:30:00-05:00", "2026-11-01T02:05:00-06:00")
