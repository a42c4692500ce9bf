"""Templates as data: complete in both languages, each value with its source, all faults of a file named at once."""

import pytest

from labels import text
from labels.template import LANGUAGES, REGIONS, load, shelf
from tests.labels.label_samples import CAUTION

KINDS = {
    *("vial", "opened vial", "bag", "light cover", "syringe", "quarantine", "hold for monitor", "return box"),
    *("destruction container", "place", "ruler"),
}
SMALL = """
kind = "tag"
stock = "4 x 2 in"
rows = [
    { left = [["plain", "[lot] {lot}"]], right = [["plain", "{reprint}"]] },
    { code = "matrix", side = "right" },
    { left = [["mono", "{number}"]] },
]
[codes.matrix]
kind = "data matrix"
[styles]
plain = { size = 8 }
mono = { weight = "mono", size = 8 }
[fields]
lot = { kind = "identity", source = "REGULATION L-20" }
"""
TEXTS = '[en]\nlot = "Lot"\n[de]\nlot = "Ch.-B."\n'


def faults_of(old: str = "", new: str = "", texts: str = TEXTS, **more: str) -> str:
    assert old in SMALL
    with pytest.raises(ValueError, match="faulty") as found:
        load({"tag": SMALL.replace(old, new) if old else SMALL, "texts": texts, **more})
    return str(found.value)


def test_every_kind_has_its_template_in_every_region_that_needs_it() -> None:
    assert set(shelf().kinds()) == KINDS
    assert {kind for region, kind in shelf().templates if region == "us"} == KINDS
    for region in REGIONS:
        assert {kind for found, kind in shelf().templates if found == region} == KINDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_in_every_language(language: str) -> None:
    missing = {
        (template.kind, token.words)
        for template in shelf().templates.values()
        for row in template.rows
        for cell in row.cells()
        for token in cell.tokens
        if token.kind == "text" and not template.texts[language].get(token.words)
    }
    assert missing == set()


def test_what_a_template_says_breaks_no_rule_of_notation() -> None:
    for template in shelf().templates.values():
        for words in (words for texts in template.texts.values() for words in texts.values()):
            assert text.notation_faults(template.kind, words) == []
            assert text.character_faults(template.kind, words) == []


def test_the_caution_in_the_templates_is_verbatim() -> None:
    assert {template.texts["en"]["caution"] for template in shelf().templates.values()} == {CAUTION}


def test_the_drug_s_name_dose_and_subject_are_key_words_of_the_bag() -> None:
    """REGULATION L-08."""
    bag = shelf().find("bag", "us")
    key = {token.words for row in bag.rows for cell in row.cells() if cell.style.key for token in cell.tokens}
    assert {"subject_number", "product", "dose_mg"} <= key
    assert all(cell.style.smallest >= 12 for row in bag.rows for cell in row.cells() if cell.style.key)


def test_a_small_template_loads() -> None:
    assert load({"tag": SMALL, "texts": TEXTS}).find("tag", "us").stock == "4 x 2 in"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "identity"', 'kind = "colour"', "of the kind 'colour'"),
        (', source = "REGULATION L-20"', "", "'lot' has no source"),
        ("{lot}", "{batch}", "there is no field 'batch'"),
        ("[lot] {lot}", "[lot]", "'lot' stands nowhere"),
        ("[lot]", "[batch]", "no text 'batch' in English"),
        ("[lot] {lot}", "[lot {lot}", "cannot be read"),
        ("[lot] {lot}", "1.0 mg {lot}", "trailing zero"),
        ("[lot] {lot}", "safe {lot}", "claim of safety"),
        ('"{reprint}"', '"{number}"', "no place for the reprint"),
        ('["mono", "{number}"]', '["mono", "[lot] {lot}"]', "no place for the number"),
        ('"{number}"', '"No. {number}"', "in a cell of its own"),
        ('code = "matrix"', 'code = "bars"', "there is no code 'bars'"),
        ('kind = "data matrix"', 'kind = "qr"', "of the kind 'qr'"),
        ('["plain", "[lot]', '["huge", "[lot]', "there is no style 'huge'"),
        ("plain = { size = 8 }", "plain = { size = 5 }", "5.0 pt"),
        ("plain = { size = 8 }", "plain = { size = 8, smallest = 5.5 }", "5.5 to 8.0 pt"),
        ("plain = { size = 8 }", "plain = { size = 8, key = true }", "so it is bold"),
        ("plain = { size = 8 }", 'plain = { size = 8, weight = "thin" }', "weight 'thin'"),
        ('stock = "4 x 2 in"', 'stock = "5 x 5 in"', "no stock '5 x 5 in'"),
        ('stock = "4 x 2 in"', 'stock = "4 x 2 in"\nregions = ["mars"]', "no region 'mars'"),
        ('side = "right"', 'place = "right"', "a row has 'place'"),
        ('kind = "tag"', "", "there is no kind"),
    ],
)
def test_a_faulty_template_is_refused_when_it_is_loaded(old: str, new: str, words: str) -> None:
    assert words in faults_of(old, new)


def test_all_faults_of_all_files_are_named_at_once() -> None:
    found = faults_of(
        "{lot}", "{batch}", other=SMALL.replace('kind = "tag"', 'kind = "other"').replace("mono =", "x =")
    )
    assert "tag: there is no field 'batch'" in found
    assert "other: there is no style 'mono'" in found


def test_a_text_whose_values_differ_between_languages_is_refused() -> None:
    texts = '[en]\nlot = "Lot {lot}"\n[de]\nlot = "Charge"\n'
    assert "other values in 'de'" in faults_of("[lot] {lot}", "[lot]", texts=texts)


def test_two_templates_of_one_kind_are_refused() -> None:
    assert "two templates" in faults_of(again=SMALL)


@pytest.mark.parametrize(
    "words",
    [
        *("1.0 mg", "0.50 mL", "2.0 °C", ".5 mg", "5 U", "5 IU", "10 cc", "5 µg", "5 μg", "QD", "q.o.d.", "5 ml"),
        *("@ 10 h", "> 8 h", "< 8 h", "INO 1 mg", "GO", "InO", "Besponsa®", "0,5 mg", "1,25 mL"),
        *("safe and effective", "Proven", "well tolerated", "cures", "sicher", "Wirksames Mittel", "gut verträglich"),
        *("03/04/2026", "3.4.26", "03-04-2026", "03/04"),
    ],
)
def test_the_linter_refuses(words: str) -> None:
    """REGULATION L-02, L-10, L-12; each alone is reason enough."""
    assert {fault.field for fault in text.notation_faults("storage", words)} == {"storage"}


@pytest.mark.parametrize(
    "words",
    [
        *("1 mg", "0.5 mL", "10 mg", "1,250 mL", "100 mL", "2 °C to 8 °C", "0.018 mg/mL", "22-Nov-2026 14:15 CST"),
        *("inotuzumab ozogamicin", "Do not shake. Do not freeze.", "1001-0007", "2012-0511", "+1 713 555 0100"),
        *("Room temperature 20–25 °C", "HAZARDOUS DRUG – CYTOTOXIC", "Raumtemperatur", "9 mg/mL", "Go to shelf 2"),
    ],
)
def test_the_linter_lets_pass(words: str) -> None:
    assert text.notation_faults("storage", words) == []
