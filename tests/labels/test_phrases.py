"""German of what is signed or recorded in English: as a German pharmacist writes it, and nothing guessed."""

from dataclasses import replace

import pytest

from labels.engine import layouts
from labels.label_job import label_pages
from labels.layout import Words
from labels.phrases import german, read_phrases
from labels.template import load, shelf
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.protocol import shipped_protocol
from pharmacy_app.services.papers import Label, LabelSetup
from tests.labels.label_samples import CAUTION, GERMAN, LABELS, sample, with_values, without

EU_GERMAN = LabelSetup(region="eu", languages=("de",), stock="4 x 3 in")


def in_german(field: str, words: str) -> str:
    return german(words, shelf().phrases[field])


def said(label: Label, setup: LabelSetup) -> str:
    """The words of a label, line by line."""
    (layout,) = layouts([label], setup)
    return "\n".join(box.words for box in layout.boxes if isinstance(box, Words))


def in_english_alone(kind: str, region: str = "eu") -> Label:
    """A label as the app makes it: phrases in English only."""
    label = sample(kind, region, ("de",))
    for name in GERMAN:
        label = without(label, name)
    return label


@pytest.mark.parametrize(
    ("field", "english", "expected"),
    [
        ("storage", "Keep at room temperature. Do not shake.", "Bei Raumtemperatur lagern. Nicht schütteln."),
        (
            "storage",
            "Room temperature 20–25 °C. Do not shake. Do not freeze.",
            "Raumtemperatur 20–25 °C. Nicht schütteln. Nicht einfrieren.",
        ),
        ("storage", "Refrigerate 2 °C to 8 °C; do not freeze", "Kühl lagern (2 °C bis 8 °C); nicht einfrieren"),
        ("storage", "Refrigerate 2°C-8°C, do not shake", "Kühl lagern (2 °C bis 8 °C), nicht schütteln"),
        ("storage", "Do not shake / do not freeze", "Nicht schütteln / nicht einfrieren"),
        ("storage", "DO NOT SHAKE", "Nicht schütteln"),
        ("diluent", "0.9% sodium chloride", "Natriumchlorid-Lösung 9 mg/mL"),
        ("diluent", "0.9 % sodium chloride injection", "Natriumchlorid 9 mg/mL Injektionslösung"),
        ("diluent", "0.45 % sodium chloride", "Natriumchlorid-Lösung 0.45 %"),
        ("diluent", "5 % dextrose", "Glucose-Lösung 5 %"),
        (
            "form",
            "lyophilized, unpreserved powder for intravenous injection",
            "lyophilisiertes Pulver ohne Konservierungsmittel zur intravenösen Injektion",
        ),
        (
            "reason",
            "the temperature logger shows an alarm; it recorded 2 °C to 11.5 °C, outside 2 °C to 8 °C",
            "Temperaturlogger zeigt Alarm; 2 °C bis 11.5 °C, außerhalb 2 °C bis 8 °C",
        ),
        ("reason", "storage deviation X000012A at Refrigerator 1", "Lagerungsabweichung X000012A an Refrigerator 1"),
        ("reason", "it recorded −3 °C, outside 2 °C to 8 °C", "−3 °C, außerhalb 2 °C bis 8 °C"),
        ("what", "3 used containers", "3 gebrauchte Behältnisse"),
        ("what", "Partial vial, 1 mg", "Angebrochene Flasche, 1 mg"),
    ],
)
def test_words_of_the_trade_are_in_the_table(field: str, english: str, expected: str) -> None:
    assert in_german(field, english) == expected


@pytest.mark.parametrize(
    "words",
    ["Keep in the blue box", "Do not shake. Keep in the blue box.", "Keep at two degrees", "Do not", ".", " ", ""],
)
def test_what_is_not_in_the_table_has_no_german(words: str) -> None:
    """Half a translation would be worse than none."""
    assert in_german("storage", words) == ""


def test_the_form_of_the_protocol_itself_has_german() -> None:
    assert in_german("form", shipped_protocol().product.form) != ""


@pytest.mark.parametrize("kind", LABELS)
def test_every_kind_is_whole_in_german_for_the_european_union(kind: str) -> None:
    """From what is recorded in English: all texts German, the European statement, and no American caution."""
    label = in_english_alone(kind)
    words = said(label, EU_GERMAN)
    template = shelf().find(kind, "eu")
    alike = {"sponsor", "initials"}
    texts = {
        token.words
        for row in template.rows
        if "eu" in row.only
        for cell in row.cells()
        for token in cell.tokens
        if token.kind == "text"
    }
    for name in texts - alike:
        assert template.texts["de"][name] != template.texts["en"][name], name
    assert CAUTION not in words.replace("\n", " ")
    assert label_pages([label], EU_GERMAN)
    if any("trial_use" in token.words for row in template.rows for cell in row.cells() for token in cell.tokens):
        assert "Nur zur Verwendung in klinischen Prüfungen" in words


def test_a_german_bag_label_says_what_a_german_pharmacist_writes() -> None:
    words = said(in_english_alone("bag"), EU_GERMAN)
    for expected in (
        "NUR ZUR INTRAVENÖSEN ANWENDUNG",
        "VOR LICHT SCHÜTZEN bei Zubereitung, Lagerung und Verabreichung",
        "Trägerlösung Natriumchlorid 9 mg/mL Injektionslösung",
        "Raumtemperatur 20–25 °C. Nicht schütteln. Nicht einfrieren.",
        "Infusion über etwa 1 h",
        "Kurs 1 · Zyklus 1 · Tag 8",
        "Ch.-B. HX2201A",
    ):
        assert expected in words


def test_a_german_word_that_was_given_stands_before_the_table() -> None:
    label = with_values(in_english_alone("bag"), **{"storage.de": "Nicht über 25 °C lagern"})
    assert "Nicht über 25 °C lagern" in said(label, EU_GERMAN)


def test_words_without_german_are_refused_by_their_field_and_print_in_english() -> None:
    """REGULATION L-06."""
    label = with_values(in_english_alone("bag"), storage="Keep in the blue box")
    with pytest.raises(Refused) as refused:
        label_pages([label], EU_GERMAN)
    assert [fault.field for fault in refused.value.faults] == ["storage.de"]
    assert "Keep in the blue box" in refused.value.faults[0].sentence
    assert "Keep in the blue box" in said(label, replace(EU_GERMAN, languages=("en",)))


def test_a_reprint_and_a_demonstration_say_so_in_the_label_s_languages() -> None:
    label = replace(in_english_alone("quarantine"), copy_number=3, demonstration=True)
    words = said(label, EU_GERMAN)
    assert "NACHDRUCK 2" in words
    assert "NICHT ZUR KLINISCHEN ANWENDUNG" in words
    both = said(label, replace(EU_GERMAN, languages=("en", "de")))
    assert "REPRINT / NACHDRUCK 2" in both
    assert "REPRINT 2" in said(label, replace(EU_GERMAN, languages=("en",)))


def test_faulty_phrases_are_refused_with_the_templates() -> None:
    faults: list[str] = []
    read_phrases({"storage": {"Keep at {n} °C": "Kühl lagern", "Keep at 2 °C": "Bei 2,5 °C lagern"}}, faults)
    assert len(faults) == 2
    with pytest.raises(ValueError, match="other places"):
        load({"phrases": '[storage]\n"Keep at {n} °C" = "Kühl lagern"\n'})
