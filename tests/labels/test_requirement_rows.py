"""Rows of REGULATION chapter 3 that one label shows as a whole: L for what stands on it, B for its bar codes.

What other files show already is named in ``tests/trace/requirements.toml`` and not told again here.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
import zxingcpp

from labels import fill, proof, text
from labels.codes import code128, data_matrix, element_symbol, gs1_128, gs1_data_matrix, smallest_module
from labels.engine import layouts
from labels.geometry import Dots
from labels.label_pdf import label_pdf
from labels.layout import Code, Layout, Words
from labels.papers import PdfPapers
from labels.stocks import choices
from labels.template import LANGUAGES, REGIONS, Shelf, load, shelf
from labels.zpl import zpl
from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.label_marks import LETTERS, mark_of
from pharmacy_app.domain.planning import beyond_use
from pharmacy_app.domain.settings import StabilityLimits
from pharmacy_app.services.papers import Label, LabelSetup, LabelValue
from tests.labels.label_samples import BAG, COVER, LABELS, PRINTERS, STOCKS, US, VIAL, sample, with_values, without
from tests.labels.test_zpl import preview, scanned
from tests.labels.zpl_reader import read

D = Decimal
EU = LabelSetup(region="eu")
EU_SMALL = LabelSetup(region="eu small")


def printed(label: Label, setup: LabelSetup = US) -> str:
    (words,) = proof.page_texts(PdfPapers().labels([label], setup))
    return words


def laid_out(label: Label, setup: LabelSetup = US) -> Layout:
    return layouts([label], setup)[0]


def words_of(layout: Layout) -> list[Words]:
    return [box for box in layout.boxes if isinstance(box, Words)]


def codes_of(layout: Layout) -> list[Code]:
    return [box for box in layout.boxes if isinstance(box, Code)]


def marked(label: Label) -> Label:
    """The label as the pharmacy prints it: its code says which label of the thing it is. A ruler has no mark."""
    known = label.kind in LETTERS
    return replace(label, mark=mark_of(label.kind, label.number, label.copy_number)) if known else label


def refused(label: Label, setup: LabelSetup) -> set[str]:
    with pytest.raises(Refused) as found:
        PdfPapers().labels([label], setup)
    return {fault.field for fault in found.value.faults}


# --- the European Union (L-03 to L-06) ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "field", "words"),
    [
        ("main contact: name", "contact_name", "Anna Keller"),
        ("main contact: address", "contact_address", "Hauptstraße 1, 69120 Heidelberg"),
        ("main contact: telephone", "contact_phone", "+49 6221 555 0100"),
        ("name of the substance", "product", "inotuzumab ozogamicin"),
        ("strength", "strength_mg", "1 mg"),
        ("form", "form", "Powder for concentrate for solution for infusion"),
        ("route", "", "FOR INTRAVENOUS USE ONLY"),
        ("quantity", "", "1 vial"),
        ("batch", "lot", "Lot HX2201A"),
        ("reference code: trial", "protocol_name", "Trial 2012-0511"),
        ("reference code: site", "site_number", "Site 001"),
        ("reference code and name: investigator", "investigator", "Investigator Elena Petrova, MD"),
        ("reference code: sponsor", "sponsor", "Sponsor MD Anderson Cancer Center"),
        ("treatment number", "number", "V000123L"),
        ("directions", "", "Directions: see the pharmacy manual"),
        ("for clinical trials only", "", "For clinical trial use only"),
        ("storage: lowest", "storage_min_c", "Store at 2 °C to"),
        ("storage: highest", "storage_max_c", "to 8 °C"),
        ("period of use, month in letters and whole year", "expires_on", "Use by Nov-2026"),
    ],
)
def test_each_item_of_annex_vi_stands_on_the_european_vial_label(item: str, field: str, words: str) -> None:
    """Regulation (EU) 536/2014, Annex VI, A.1; what comes from the record is refused by its name when it is missing.

    The vial is never taken home, so “Keep out of reach of children” is left off as the annex allows.
    """
    label = sample("vial", "eu")
    assert words in printed(label, EU), item
    if field == "number":
        return
    if field:
        assert refused(without(label, field), EU) == {field}
    else:
        assert words in shelf().find("vial", "eu").texts["en"].values()


def test_the_visit_stands_on_the_european_label_where_there_is_one() -> None:
    """Annex VI A.1: “and, where relevant, visit number”; a vial in stock belongs to no visit yet."""
    label = sample("vial", "eu")
    assert "Visit C1 D8" in printed(label, EU)
    assert "Visit" not in printed(without(label, "visit"), EU)


def test_the_small_european_label_has_what_it_must_and_leaves_the_rest_to_the_outer_packaging() -> None:
    """Annex VI A.2.2 and Regulation 2022/2239: no period of use there, but on the outer packaging."""
    small = printed(sample("vial", "eu small"), EU_SMALL)
    for required in (
        "Contact Anna Keller",
        "FOR INTRAVENOUS USE ONLY",
        "inotuzumab ozogamicin",
        "1 mg",
        "Lot HX2201A",
        "Trial 2012-0511",
        "V000123L",
        "Visit C1 D8",
    ):
        assert required in small
    assert "Use by" not in small
    assert "2026" not in small
    assert "Use by Nov-2026" in printed(sample("vial", "eu"), EU)
    for field in ("contact_name", "product", "strength_mg", "lot", "protocol_name"):
        assert refused(without(sample("vial", "eu small"), field), EU_SMALL) == {field}


@pytest.fixture
def without_german_hazard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """The shipped templates but for one German sentence."""
    folder = Path(fill.__file__).parent / "templates"
    files = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.toml")}
    english, german = files["texts"].split("[de]\n")
    files["texts"] = f"{english}[de]\n" + re.sub(r"(?m)^hazard = .*\n", "", german)
    fill._texts_of.cache_clear()
    poorer = load(files)
    monkeypatch.setattr(fill, "shelf", lambda: poorer)
    yield poorer
    fill._texts_of.cache_clear()


def test_a_text_that_the_template_does_not_have_in_a_language_blocks_the_print(without_german_hazard: Shelf) -> None:
    """REGULATION L-06; the other language alone prints."""
    assert "hazard" not in without_german_hazard.find("bag", "us").texts["de"]
    both = LabelSetup(languages=("en", "de"), stock="Avery 5164")
    assert refused(sample("bag", "us", ("en", "de")), both) == {"hazard"}
    assert printed(BAG)


# --- the bag (L-07, L-08, L-14, L-23) -----------------------------------------------------------------------------


@pytest.mark.parametrize("stock", ["4 x 3 in", "Avery 5164", "Avery L7165"])
@pytest.mark.parametrize("label", [BAG, COVER], ids=["bag", "light cover"])
def test_the_bag_is_read_in_the_order_of_the_regulation_to_its_end(label: Label, stock: str) -> None:
    """L-07: two identifiers, drug, dose and volume, diluent, route, rate, prepared, beyond use, light and storage,
    protocol and day, two people, bar code and dose number, pharmacy and telephone. Down, and from left to right.

    The final concentration stands with the dose, as L-13 has it.
    """
    layout = laid_out(marked(label), LabelSetup(stock=stock))
    at = {words.field: (words.y_pt, words.x_pt) for words in reversed(words_of(layout))}
    order = (
        *("subject_number", "subject_initials", "product", "dose_mg", "diluent", "route", "infusion_h"),
        *("prepared_at", "beyond_use_at", "light", "storage", "protocol_name", "course", "prepared_by", "verified_by"),
        *("number", "site_name", "pharmacy_phone"),
    )
    assert [(one, two) for one, two in pairwise(order) if at[one] >= at[two]] == []
    (bars,) = (code for code in codes_of(layout) if not code.symbol.two_dimensional)
    dots = Dots(layout.dpi)
    assert at["verified_by"][0] < dots.pt(bars.top) < at["site_name"][0]
    assert dots.pt(bars.top) < at["number"][0] < dots.pt(bars.top + bars.bar_height)


@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("stock", ["4 x 3 in", "Avery 5164", "Avery L7165", "Avery L7173"])
@pytest.mark.parametrize("label", [BAG, COVER], ids=["bag", "light cover"])
def test_subject_drug_and_dose_are_bold_and_larger_than_all_else(label: Label, stock: str, dpi: int) -> None:
    """L-08: bold, the largest, and 12 pt or more on every stock that takes a bag's label."""
    sizes = words_of(laid_out(marked(label), LabelSetup(stock=stock, dpi=dpi)))
    key = [words for words in sizes if words.field in ("subject_number", "product", "dose_mg")]
    assert [words.words for words in key] == [
        *("1001-0007", "inotuzumab ozogamicin", "0.9 mg in 50 mL (0.018 mg/mL)"),
    ]
    assert {words.font for words in key} == {text.BOLD}
    assert min(words.size_pt for words in key) >= 12
    assert max(words.size_pt for words in sizes if words not in key) < min(words.size_pt for words in key)


def test_a_bag_on_two_inches_is_refused_rather_than_set_below_twelve_points() -> None:
    """L-08: 4 x 2 in cannot hold a bag's label at 12 pt."""
    assert refused(BAG, LabelSetup(stock="4 x 2 in")) == {"stock"}


@pytest.mark.parametrize("kind", ["vial", "syringe", "opened vial"])
def test_on_small_stock_drug_and_amount_are_still_the_largest(kind: str) -> None:
    """L-08 where the stock does not allow 12 pt."""
    names = {"vial": {"product", "strength_mg"}, "syringe": {"subject_number", "product", "dose_mg"}}
    wanted = names.get(kind, {"product", "strength_mg"})
    sizes = words_of(laid_out(marked(LABELS[kind])))
    key = [words for words in sizes if words.field in wanted]
    assert {words.field for words in key} == wanted
    assert {words.font for words in key} == {text.BOLD}
    assert max(words.size_pt for words in sizes if words not in key) < min(words.size_pt for words in key)


def test_a_compounded_preparation_says_what_it_is_until_when_and_how_to_keep_it() -> None:
    """L-14, USP <797> (2023) section 13: each item, on the bag as on the cover."""
    for label in (BAG, COVER):
        words = printed(label)
        for item, said in {
            "internal number": "D000123L",
            "active ingredient": "inotuzumab ozogamicin",
            "amount and total volume": "0.9 mg in 50 mL",
            "concentration": "0.018 mg/mL",
            "storage": "Room temperature 20–25 °C.",
            "beyond-use date": "22-Nov-2026 14:15 (UTC−06:00)",
            "dosage form": "Solution for infusion",
            "single dose": "single dose",
        }.items():
            assert said in words, item
        for field in ("product", "dose_mg", "total_volume_ml", "storage", "beyond_use_at"):
            assert refused(without(label, field), US) == {field}


@pytest.mark.parametrize("label", [BAG, COVER], ids=["bag", "light cover"])
def test_a_texas_bag_names_the_ingredient_the_pharmacy_s_hand_and_the_beyond_use_date(label: Label) -> None:
    """L-23, 22 TAC 291.131(d)(5): generic name, compounded by the pharmacy, beyond-use date."""
    words = printed(label, LabelSetup(block="us-tx"))
    for required in ("inotuzumab ozogamicin", "Compounded by the pharmacy", "BEYOND USE", "22-Nov-2026 14:15"):
        assert required in words


# --- words and numbers (L-09 to L-13) -----------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["5mg", "Add 50mL", "0.9mg/mL", "10mcg"])
def test_an_amount_run_into_its_unit_is_refused(words: str) -> None:
    """L-11: 0.9mg has been read as 0.9 m, 50mL as 500 mL (ISMP)."""
    assert refused(with_values(BAG, storage=words), US) == {"storage"}


@pytest.mark.parametrize("kind", LABELS)
def test_what_is_printed_has_blanks_before_units_and_no_slash_for_per(kind: str) -> None:
    """L-10, L-11 on the paper itself: the slash stands in mg/mL alone, no zero ends a number, no point begins one."""
    words = printed(LABELS[kind])
    assert not re.search(r"\d(?:mg|mL|°C|h\b)", words)
    assert "/" not in words.replace("mg/mL", "")
    assert not re.search(r"\d\.\d*0(?!\d)", words)
    assert not re.search(r"(?<!\d)\.\d", words)
    assert not re.search(r"(?i)\b(?:cc|ml|ug|iu)\b", words.replace("mL", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_a_template_has_a_slash(language: str) -> None:
    """L-11: “per” is a word in running text. The state's sentences count too."""
    sentences = [words for each in shelf().templates.values() for words in each.texts[language].values()]
    sentences += [block.texts[language] for block in shelf().blocks.values()]
    assert [words for words in sentences if "/" in words] == []


@pytest.mark.parametrize(
    ("volume", "words"), [("950", "in 950 mL"), ("1000", "in 1,000 mL"), ("1000.50", "in 1,000.5 mL")]
)
def test_a_comma_stands_from_a_thousand_on(volume: str, words: str) -> None:
    """L-11."""
    assert words in printed(with_values(BAG, total_volume_ml=D(volume)))


def test_a_concentration_is_the_total_in_the_total_volume_on_bag_and_syringe() -> None:
    """L-13: 0.9 mg in 50 mL is 0.018 mg/mL; 3.6 mL at 0.25 mg/mL hold 0.9 mg."""
    assert "0.9 mg in 50 mL (0.018 mg/mL)" in printed(BAG)
    assert "0.9 mg in 3.6 mL (0.25 mg/mL)" in " ".join(printed(LABELS["syringe"]).split())


# --- the clock (L-15, L-16) ---------------------------------------------------------------------------------------

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("diluted", "start", "end"), [("14:00", "17:00", "18:00"), ("10:15", "13:15", "14:15")], ids=["8 h", "4 h"]
)
@pytest.mark.parametrize("label", [BAG, COVER], ids=["bag", "light cover"])
def test_the_label_says_by_when_to_start_and_to_end(label: Label, diluted: str, start: str, end: str) -> None:
    """L-16, an infusion of 1 h reconstituted at 10:00: 8 h from there, or 4 h from dilution at room temperature."""

    def at(clock: str) -> datetime:
        return datetime.strptime(f"2026-11-22 {clock}", "%Y-%m-%d %H:%M").replace(tzinfo=CHICAGO)

    limits = StabilityLimits(D(4), D(8), D(4), D(1))
    use = beyond_use(at("10:00"), at(diluted), limits, datetime(2027, 3, 31, tzinfo=CHICAGO).date(), CHICAGO)
    label = with_values(label, prepared_at=at(diluted), start_by=use.start_by, beyond_use_at=use.end_by)
    said = {words.field: words.words for words in words_of(laid_out(label))}
    assert said["prepared_at"] == f"Prepared 22-Nov-2026 {diluted} CST"
    assert said["start_by"] == f"Start by 22-Nov-2026 {start} CST"
    assert said["beyond_use_end"] == "BEYOND USE – infusion ended by"
    assert said["beyond_use_at"] == f"22-Nov-2026 {end} CST"
    # What is laid out is what is printed.
    assert printed(label).count(f"22-Nov-2026 {end} CST") == 1


# --- the preview is the print (L-21) ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bag", "light cover", "opened vial", "return box", "destruction container"])
def test_the_large_labels_print_the_preview_pixel_by_pixel(kind: str) -> None:
    """The others are compared in test_zpl.py."""
    layout = laid_out(LABELS[kind])
    (label,) = read(zpl([layout], label_pdf))
    assert label.rows() == preview(layout)


# --- codes (B-04 to B-10) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("kind", LABELS)
def test_a_code_carries_our_number_and_its_label_s_mark_alone(kind: str, region: str) -> None:
    """B-04, B-05: without a GTIN from the supporter there is no 01; nothing of a person ever stands in a code."""
    setup = LabelSetup(region=region, stock="4 x 3 in")
    for label in (sample(kind, region), marked(sample(kind, region))):
        layout = laid_out(label, setup)
        said = sorted(code.symbol.content for code in codes_of(layout))
        assert said
        behind = f"(92){label.mark}" if label.mark else ""
        assert set(said) <= {label.number + label.mark, f"(91){label.number}{behind}"}
        assert scanned(read(zpl([layout], label_pdf))[0].rows()) == said
    # A mark is the kind's letter, the copy and a check character: of the subject it holds nothing.
    assert re.fullmatch(r"([A-Z][0-9]{2,4}[0-9A-Z])?", label.mark)


@pytest.mark.parametrize("kind", LABELS)
def test_no_template_encodes_a_value_about_a_person(kind: str) -> None:
    """B-05: of a label's values a code may carry product, expiry, lot, our number and protocol, and no other."""
    for region in REGIONS:
        elements = {value for code in shelf().find(kind, region).codes.values() for _, value in code.elements}
        assert elements <= {"gtin", "expires_on", "lot", "number", "protocol_name"}
    gtins = [field for each in shelf().templates.values() for field in each.fields.values() if field.kind == "gtin"]
    assert all(not field.required and field.blank == "" for field in gtins)


def test_a_gtin_is_printed_as_given_or_refused_and_never_put_right() -> None:
    """B-04: 09506000134352 is GS1's own example; its check digit is 2."""
    codes = codes_of(laid_out(with_values(VIAL, gtin="09506000134352")))
    assert [code.symbol.content[:18] for code in codes] == ["(01)09506000134352"]
    for wrong in ("09506000134350", "0950600013435", "9506000134352"):
        assert refused(with_values(VIAL, gtin=wrong), US) == {"gtin"}


ROLLS_AND_USUAL = ("", *STOCKS)


@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("kind", LABELS)
def test_codes_have_the_size_and_the_quiet_zone_that_gs1_asks_for(kind: str, dpi: int) -> None:
    """B-06, on every roll that takes the label. Bars: module 0.170 mm, quiet zone 10 modules on both sides, GS1-128
    12.7 mm high. DataMatrix: module 0.254 mm, quiet zone 1 module on all sides. Measured in the print's own pixels."""
    mm = 25.4 / dpi
    measured = 0
    for stock in ROLLS_AND_USUAL:
        try:
            layout = laid_out(marked(LABELS[kind]), LabelSetup(stock=stock, dpi=dpi))
        except Refused:
            continue
        rows = preview(layout)
        for code in codes_of(layout):
            quiet = code.module * (1 if code.symbol.two_dimensional else 10)
            across = len(code.symbol.rows[0]) * code.module
            down = len(code.symbol.rows) * code.module if code.symbol.two_dimensional else code.bar_height
            left, top = code.left + quiet, code.top + (quiet if code.symbol.two_dimensional else 0)
            # What is dark begins and ends exactly there, and round it nothing is.
            inside = [row[left : left + across] for row in rows[top : top + down]]
            first, last = ("".join(row[at] for row in inside) for at in (0, -1))
            assert all("1" in edge for edge in (inside[0], inside[-1], first, last))
            assert left >= quiet
            assert left + across + quiet <= len(rows[0])
            for row in rows[top : top + down]:
                assert "1" not in row[left - quiet : left] + row[left + across : left + across + quiet]
            if code.symbol.two_dimensional:
                assert "1" not in "".join(row[left - quiet : left + across + quiet] for row in rows[top - quiet : top])
                below = rows[top + down : top + down + quiet]
                assert len(below) == quiet
                assert "1" not in "".join(row[left - quiet : left + across + quiet] for row in below)
                assert code.module * mm >= 0.254 - 1e-9
            else:
                assert code.module * mm >= 0.170
                if code.symbol.content.startswith("("):
                    assert code.bar_height * mm >= 12.7
            measured += 1
    assert measured


@pytest.mark.parametrize("content", ["D000123L", "(91)D000123L"])
def test_a_matrix_is_of_quality_200(content: str) -> None:
    """B-06: ]d1 is ECC 200, ]d2 ECC 200 that begins with FNC1 (ISO/IEC 15424); the older codes are ]d0."""
    (code,) = (
        code for code in codes_of(laid_out(BAG if "(" in content else VIAL)) if code.symbol.two_dimensional
    )  # one matrix a label
    symbol = gs1_data_matrix("number", "D000123L") if "(" in content else data_matrix("number", "D000123L")
    assert len(code.symbol.rows) % 2 == 0
    rows = ["0" * (len(symbol.rows) + 4)] * 2
    wide = [line for row in (*rows, *("00" + row + "00" for row in symbol.rows), *rows) for line in [row] * 4]
    pixels = b"".join(bytes(0 if module == "1" else 255 for module in row for _ in range(4)) for row in wide)
    view = memoryview(pixels).cast("B", (len(wide), len(wide[0]) * 4))
    (found,) = zxingcpp.read_barcodes(view, formats=zxingcpp.BarcodeFormats([zxingcpp.DataMatrix]))
    assert (found.text, found.symbology_identifier) == (content, "]d2" if "(" in content else "]d1")


def test_gs1_bars_with_gtin_expiry_and_lot_fit_a_bag_but_no_vial() -> None:
    """B-08. Start, FNC1, 8 pairs (01 and 14 digits), 4 pairs (17 and 6 digits), 1 pair (10), switch, 8 letters and
    check are 25 characters of 11 modules; the stop has 13, both quiet zones 20: 308. At 2 dots of 25.4/203 mm 77.1 mm.
    """
    elements = [("01", "09506000134352", "gtin"), ("17", "261130", "expires_on"), ("10", "ABCDEFGH", "lot")]
    across, _ = element_symbol(elements, two_dimensional=False).size()
    assert across == 25 * 11 + 13 + 20 == 308
    mm = across * smallest_module(gs1_128("number", "V1"), Dots(203)) * 25.4 / 203
    assert round(mm, 1) == 77.1
    assert choices()["2.25 x 1.25 in"].stock.width_mm < mm < choices()["4 x 2 in"].stock.width_mm
    # Ten letters in plain Code 128: start, 10 and check are 12 characters; 132 + 13 + 20 = 165 modules, 41.3 mm.
    plain, _ = code128("number", "ABCDEFGHIJ").size()
    assert plain == 165
    assert round(plain * 2 * 25.4 / 203, 1) == 41.3 < choices()["2.25 x 1.25 in"].stock.width_mm


@pytest.mark.parametrize("dpi", PRINTERS)
@pytest.mark.parametrize("values", [{}, {"gtin": "09506000134352", "lot": "ABCDEFGH"}], ids=["ours", "gtin"])
def test_a_vial_of_two_and_a_quarter_inches_has_a_matrix_instead(values: dict[str, LabelValue], dpi: int) -> None:
    """B-08, B-10."""
    layout = laid_out(with_values(marked(VIAL), **values), LabelSetup(dpi=dpi))
    assert layout.stock.name == "2.25 x 1.25 in"
    assert [code.symbol.two_dimensional for code in codes_of(layout)] == [True]


@pytest.mark.parametrize(
    ("dpi", "bars", "matrix", "bars_mm", "matrix_mm"),
    [(203, 2, 3, "0.250", "0.375"), (300, 3, 3, "0.254", "0.254")],
)
def test_modules_are_whole_dots_of_the_printer(dpi: int, bars: int, matrix: int, bars_mm: str, matrix_mm: str) -> None:
    """B-09: 2 dots of a matrix at 203 dpi would be under 0.254 mm, 2 dots of bars at 300 dpi under 0.170 mm."""
    dots = Dots(dpi)
    symbols = (
        (code128("number", "V1"), gs1_128("number", "V1")),
        (
            data_matrix("number", "V1"),
            gs1_data_matrix("number", "V1"),
        ),
    )
    assert [smallest_module(symbol, dots) for symbol in symbols[0]] == [bars] * 2
    assert [smallest_module(symbol, dots) for symbol in symbols[1]] == [matrix] * 2
    assert f"{bars * 25.4 / dpi:.3f}" == bars_mm
    assert f"{matrix * 25.4 / dpi:.3f}" == matrix_mm
    for kind in LABELS:
        for code in codes_of(laid_out(marked(LABELS[kind]), LabelSetup(dpi=dpi))):
            assert code.module >= (matrix if code.symbol.two_dimensional else bars)


@pytest.mark.parametrize("kind", LABELS)
def test_bars_run_along_the_feed_black_on_white_and_round_no_vial(kind: str) -> None:
    """B-10: upright bars on a label that feeds downward are a picket fence; nothing is turned, reversed or grey."""
    layout = laid_out(marked(LABELS[kind]))
    rows = preview(layout)
    flat = [code for code in codes_of(layout) if not code.symbol.two_dimensional]
    if kind in ("vial", "opened vial", "syringe"):
        assert flat == []
    for code in flat:
        left, width = code.left + 10 * code.module, len(code.symbol.rows[0]) * code.module
        # Every row of dots is the same: the bars stand upright, from the first dark one to the last.
        lines = {row[left : left + width] for row in rows[code.top : code.top + code.bar_height]}
        assert len(lines) == 1
        (line,) = lines
        assert line[0] == line[-1] == "1"
        runs = [len(list(run)) for _, run in groupby(line)]
        assert all(run % code.module == 0 for run in runs)
    job = zpl([layout], label_pdf, native_codes=True).decode("ascii")
    assert job.count("^PON") == job.count("^LRN") == job.count("^FWN") == job.count("^PMN") == 1
    assert "^FR" not in job
    assert "^LRY" not in job
    assert {found[0] for found in re.findall(r"\^B[CX](.)", job)} <= {"N"}
    # A reversed print is dark for the most part.
    assert sum(row.count("1") for row in rows) < 0.35 * len(rows) * len(rows[0])


def test_the_pdf_s_codes_are_drawn_in_black() -> None:
    document = pypdfium2.PdfDocument(PdfPapers().labels([BAG], US))
    colours = set()
    for item in document[0].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_PATH]):
        red, green, blue, alpha = (pypdfium2.raw.c_uint() for _ in range(4))
        pypdfium2.raw.FPDFPageObj_GetFillColor(item.raw, red, green, blue, alpha)
        colours.add((red.value, green.value, blue.value, alpha.value))
    document.close()
    assert colours == {(0, 0, 0, 255)}


# --- stocks and ZPL -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stock", "kind", "at_203", "at_300"),
    [
        ("4 x 2 in", "vial", (812, 406), (1200, 600)),
        ("4 x 3 in", "bag", (812, 609), (1200, 900)),
        ("2.25 x 1.25 in", "vial", (457, 254), (675, 375)),
        ("2 x 1 in", "vial", (406, 203), (600, 300)),
    ],
)
def test_each_roll_that_is_shipped_has_the_printer_s_dots(
    stock: str, kind: str, at_203: tuple[int, int], at_300: tuple[int, int]
) -> None:
    """REGULATION, stock sizes to ship: width (^PW) and length (^LL) in dots."""
    for dpi, (across, down) in ((203, at_203), (300, at_300)):
        job = PdfPapers().zpl([LABELS[kind]], LabelSetup(stock=stock, dpi=dpi))
        assert f"^PW{across}^LL{down}^FO".encode() in job


def test_sheets_of_letter_and_a4_are_shipped() -> None:
    papers = {choice.grid.paper.name for choice in choices().values() if choice.grid}
    assert papers == {"Letter", "A4"}


@pytest.mark.parametrize("native", [False, True])
def test_each_label_says_its_letters_size_and_copies_before_and_after_its_fields(native: bool) -> None:
    """^CI28 is UTF-8; ^PW and ^LL stand before the first field; one copy each, so that every copy is on record."""
    job = PdfPapers().zpl([VIAL, with_values(VIAL, lot="B2")], LabelSetup(native_codes=native)).decode("ascii")
    labels = job.split("^XZ\n")
    assert labels.pop() == ""
    assert len(labels) == 2
    for label in labels:
        assert label.startswith("^XA^CI28")
        assert label.index("^PW457^LL254") < label.index("^FO")
        assert re.findall(r"\^PQ[^^]*", label) == ["^PQ1,0,0,N"]
        assert label.endswith("^PQ1,0,0,N")


def test_native_gs1_codes_begin_with_fnc1_in_the_printer_s_own_spelling() -> None:
    """Code 128 in ^BC: >; begins in subset C, >8 is FNC1. DataMatrix in ^BX: quality 200, escape _, _1 is FNC1."""
    box = PdfPapers().zpl([LABELS["return box"]], LabelSetup(native_codes=True)).decode("ascii")
    assert re.search(r"\^BCN,102,N,N,N,N\^FH\\\^FD>;>891", box)
    bag = PdfPapers().zpl([BAG], LabelSetup(native_codes=True)).decode("ascii")
    assert re.search(r"\^BXN,3,200,0,0,1,_,1\^FH\\\^FD_191D000123L\^FS", bag)
