"""One honest label of every kind, in English and German, for the United States and the European Union."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from labels.template import shelf
from pharmacy_app.services.papers import Label, LabelSetup, LabelValue
from tests.labels.samples import TEN_FIFTEEN

D = Decimal
CAUTION = "Caution: New Drug—Limited by Federal (or United States) law to investigational use."
"""21 CFR 312.6(a), typed from the regulation."""
PRINTERS = (203, 300)
STOCKS = ("4 x 3 in", "4 x 2 in", "2.25 x 1.25 in", "2 x 1 in")

_DRUG: dict[str, LabelValue] = {"product": "inotuzumab ozogamicin", "protocol_name": "2012-0511"}
_COLD: dict[str, LabelValue] = {"storage_min_c": D(2), "storage_max_c": D(8)}
_HOUSE: dict[str, LabelValue] = {"site_name": "Riverside Cancer Center", "pharmacy_phone": "+1 713 555 0100"}
_MARIA, _JAMES = "Maria Gonzalez, PharmD", "James Okafor, CPhT"
BEYOND_USE = TEN_FIFTEEN + timedelta(hours=4)

# 0.5 mg/m² at 1.80 m² is 0.90 mg; in 50 mL that is 0.018 mg/mL.
_BAG: dict[str, LabelValue] = {
    **_DRUG,
    **_HOUSE,
    "subject_number": "1001-0007",
    "subject_initials": "ABC",
    "dose_mg": D("0.90"),
    "total_volume_ml": D("50"),
    "final_mg_per_ml": D("0.0180"),
    "diluent": "0.9 % sodium chloride injection",
    "infusion_h": D("1.0"),
    "prepared_at": TEN_FIFTEEN,
    "start_by": TEN_FIFTEEN + timedelta(hours=3),
    "beyond_use_at": BEYOND_USE,
    "storage": "Room temperature 20–25 °C. Do not shake. Do not freeze.",
    "course": 1,
    "cycle": 1,
    "day": 8,
    "prepared_by": _MARIA,
    "verified_by": _JAMES,
}

LABELS: dict[str, Label] = {
    label.kind: label
    for label in (
        Label(
            "vial",
            "V000123L",
            {
                **_DRUG,
                **_COLD,
                "strength_mg": D("1.0"),
                "lot": "HX2201A",
                "expires_on": date(2026, 11, 30),
                "site_number": "001",
            },
        ),
        Label(
            "opened vial",
            "V000123L",
            {
                **_DRUG,
                "strength_mg": D(1),
                "concentration_mg_per_ml": D("0.25"),
                "left_mg": D("0.1"),
                "lot": "HX2201A",
                "expires_on": date(2026, 11, 30),
                "opened_at": TEN_FIFTEEN,
                "beyond_use_at": BEYOND_USE,
                "opened_by": _MARIA,
            },
        ),
        Label("bag", "D000123L", _BAG),
        Label("light cover", "D000123L", _BAG),
        Label(
            "syringe",
            "D000123L",
            {
                **_DRUG,
                "subject_number": "1001-0007",
                "subject_initials": "ABC",
                "dose_mg": D("0.9"),
                "volume_ml": D("3.6"),
                "concentration_mg_per_ml": D("0.25"),
                "beyond_use_at": BEYOND_USE,
                "prepared_by": _MARIA,
            },
        ),
        Label(
            "quarantine",
            "X000012A",
            {
                **_DRUG,
                "lot": "HX2201A",
                "vials": 12,
                "reason": "Stored at 11.5 °C for 3 h 20 min",
                "since": TEN_FIFTEEN,
                "held_by": _MARIA,
            },
        ),
        Label(
            "hold for monitor",
            "V000123L",
            {**_DRUG, "what": "1 empty vial", "lot": "HX2201A", "since": TEN_FIFTEEN, "held_by": _MARIA},
        ),
        Label(
            "return box",
            "F000017C",
            {
                **_DRUG,
                **_COLD,
                **_HOUSE,
                "box": 1,
                "boxes": 2,
                "vials": 24,
                "lots": "HX2201A, HX2305B",
                "returned_to": "Pfizer Clinical Supplies",
                "site_number": "001",
                "packed_on": date(2026, 11, 22),
                "packed_by": _MARIA,
            },
        ),
        Label(
            "destruction container",
            "F000018A",
            {
                **_DRUG,
                **_HOUSE,
                "containers": 7,
                "permission": "F000122K of 02-Nov-2026",
                "closed_on": date(2026, 11, 22),
                "closed_by": _MARIA,
                "witnessed_by": _JAMES,
            },
        ),
        Label(
            "place",
            "P000001A",
            {**_COLD, **_HOUSE, "place": "Refrigerator 2, shelf B", "protocol_name": "2012-0511"},
        ),
        Label("ruler", "TEST", {"printer_name": "Zebra at bench 3"}),
    )
}
VIAL, BAG, COVER = LABELS["vial"], LABELS["bag"], LABELS["light cover"]

GERMAN: dict[str, LabelValue] = {
    "diluent.de": "Natriumchlorid 9 mg/mL Injektionslösung",
    "storage.de": "Raumtemperatur 20–25 °C. Nicht schütteln. Nicht einfrieren.",
    "reason.de": "3 h 20 min bei 11.5 °C gelagert",
    "what.de": "1 leere Flasche",
    "form.de": "Pulver für ein Konzentrat zur Herstellung einer Infusionslösung",
}
EUROPEAN: dict[str, LabelValue] = {
    "form": "Powder for concentrate for solution for infusion",
    "sponsor": "MD Anderson Cancer Center",
    "investigator": "Elena Petrova, MD",
    "contact_name": "Anna Keller",
    "contact_address": "Hauptstraße 1, 69120 Heidelberg",
    "contact_phone": "+49 6221 555 0100",
    "site_number": "001",
    "lot": "HX2201A",
    "visit": "C1 D8",
}


def sample(kind: str, region: str = "us", languages: tuple[str, ...] = ("en",)) -> Label:
    """The label of a kind with what the region and the languages ask for besides."""
    label = LABELS[kind]
    more = (EUROPEAN if region != "us" else {}) | (GERMAN if "de" in languages else {})
    return replace(label, values={**{k: v for k, v in more.items() if shelf().knows(kind, k)}, **label.values})


def with_values(label: Label, **values: Any) -> Label:
    """The same label with some values changed."""
    return replace(label, values={**label.values, **values})


def without(label: Label, name: str) -> Label:
    """The same label without a value."""
    return replace(label, values={each: value for each, value in label.values.items() if each != name})


US = LabelSetup()
