"""Contrast as WCAG 2.2 computes it; the anchor values are the standard's own: black on white is 21, equal is 1."""

import pytest
from PySide6.QtWidgets import QApplication

from ui import icons
from ui.theme import DARK, LIGHT, Theme, Tokens, contrast, style_sheet

PALETTES = pytest.mark.parametrize("t", [LIGHT, DARK], ids=["light", "dark"])

TEXT_ON_GROUND = [
    *[(text, ground) for text in ("text", "muted") for ground in ("ground", "surface", "sunken", "hover", "selection")],
    *[(tone, f"{tone}_ground") for tone in ("stop", "warn", "info", "ok")],
    *[(tone, "surface") for tone in ("stop", "warn", "info", "ok", "link")],
    *[("text", f"{tone}_ground") for tone in ("stop", "warn", "info", "ok")],
    *[("muted", f"{tone}_ground") for tone in ("stop", "warn", "info", "ok")],
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("nav_text", "nav_ground"),
    ("nav_bright", "nav_hover"),
    ("nav_bright", "nav_current"),
    ("demo", "demo_ground"),
]
PARTS_ON_GROUND = [
    ("primary_focus", "ground"),
    ("primary_focus", "surface"),
    ("control_line", "surface"),
    ("control_line", "ground"),
    ("focus", "surface"),
    ("focus", "ground"),
    ("nav_accent", "nav_ground"),
    ("nav_accent", "nav_current"),
    ("stop", "stop_ground"),
    ("stop", "selection"),
]


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21, abs=0.01)
    assert contrast("#808080", "#808080") == 1
    # WCAG's well-known border case: #767676 on white is the lightest grey that passes, #777777 fails.
    assert contrast("#767676", "#FFFFFF") >= 4.5 > contrast("#777777", "#FFFFFF")


@PALETTES
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_can_be_read(t: Tokens, text: str, ground: str) -> None:
    assert contrast(t.colour(text), t.colour(ground)) >= 4.5


@PALETTES
@pytest.mark.parametrize(("part", "ground"), PARTS_ON_GROUND)
def test_parts_of_controls_can_be_seen(t: Tokens, part: str, ground: str) -> None:
    assert contrast(t.colour(part), t.colour(ground)) >= 3


@PALETTES
def test_the_sheet_is_complete(t: Tokens) -> None:
    sheet = style_sheet(t)
    assert "$" not in sheet
    assert t.accent in sheet


def test_going_dark_and_back(qapp: QApplication) -> None:
    Theme.apply(qapp, "dark")
    assert Theme.is_dark()
    assert qapp.palette().window().color().name().upper() == DARK.ground
    Theme.apply(qapp, "light")
    assert not Theme.is_dark()
    assert qapp.palette().window().color().name().upper() == LIGHT.ground


def test_an_unknown_mode_is_refused(qapp: QApplication) -> None:
    with pytest.raises(ValueError, match="purple"):
        Theme.apply(qapp, "purple")


@pytest.mark.parametrize("name", icons.names())
def test_every_icon_draws_something(qapp: QApplication, name: str) -> None:
    image = icons.pixmap(name, "#000000", 24).toImage()
    drawn = sum(image.pixelColor(x, y).alpha() > 128 for x in range(24) for y in range(24))
    assert 10 < drawn < 400
